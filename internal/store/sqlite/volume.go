package sqlite

import (
	"errors"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// volumeName is the file system of a store that writes.
const volumeName = "liaison"

func init() { vfs.Register(volumeName, volume{below()}) }

// volume is the operating system's file system. It says sqlite3.FULL of a write
// that finds no room; SQLite would take it for a disk that fails. And it writes
// no page into the database with what it held before (wipe.go).
type volume struct{ vfs.VFS }

func (v volume) Open(_ string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (v volume) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return newVolumeFile(f, flags), flags, nil
}

type volumeFile struct {
	vfs.File
	page []byte // of the database: what is written of a page; nil for other files
}

func newVolumeFile(f vfs.File, flags vfs.OpenFlag) volumeFile {
	v := volumeFile{File: f}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		v.page = make([]byte, pageSize)
	}
	return v
}

func (f volumeFile) WriteAt(p []byte, off int64) (int, error) {
	if len(p) == len(f.page) && off%pageSize == 0 {
		copy(f.page, p) // what SQLite has in memory is its own
		p = f.page
		summed := checksumHolds(p)
		wipe(p, off == 0)
		if summed {
			setChecksum(p)
		}
	}
	n, err := f.File.WriteAt(p, off)
	if errors.Is(err, syscall.ENOSPC) {
		err = vfs.SystemError(err, sqlite3.FULL)
	}
	return n, err
}

func (f volumeFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f volumeFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f volumeFile) SizeHint(size int64) error      { return vfsutil.WrapSizeHint(f.File, size) }
