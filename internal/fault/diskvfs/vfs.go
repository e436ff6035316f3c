// Package diskvfs lets SQLite write to a disk that fails (package disk).
//
// It does not fail reads, locks or shared memory: those are the operating
// system's.
package diskvfs

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/liaison-office/liaison/internal/fault/disk"
)

// New returns a file system of SQLite: another one's files, on a Disk.
func New(below vfs.VFS, d *disk.Disk) vfs.VFS { return files{below, d} }

type files struct {
	vfs.VFS
	disk *disk.Disk
}

func (v files) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (v files) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &file{File: f, disk: v.disk, path: name.String(), shm: vfsutil.WrapSharedMemory(f)}, flags, nil
}

type file struct {
	vfs.File
	disk *disk.Disk
	path string
	shm  vfs.SharedMemory
}

func (f *file) SharedMemory() vfs.SharedMemory { return f.shm }
func (f *file) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }

func (f *file) SizeHint(size int64) error {
	return f.disk.Do(disk.Allocate, f.path, func() error { return vfsutil.WrapSizeHint(f.File, size) })
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.disk.WriteAt(f.path, p, off, f.File.WriteAt, f.File.ReadAt)
	return n, said(err, sqlite3.IOERR_WRITE)
}

func (f *file) Sync(flags vfs.SyncFlag) error {
	return said(f.disk.Do(disk.Sync, f.path, func() error { return f.File.Sync(flags) }), sqlite3.IOERR_FSYNC)
}

func (f *file) Truncate(size int64) error {
	return said(f.disk.Do(disk.Truncate, f.path, func() error { return f.File.Truncate(size) }), sqlite3.IOERR_TRUNCATE)
}

// said gives a failure made here the code that SQLite knows; what the operating
// system says is passed on.
func said(err error, code sqlite3.ExtendedErrorCode) error {
	if errors.Is(err, disk.ErrFails) {
		return vfs.SystemError(err, code)
	}
	return err
}
