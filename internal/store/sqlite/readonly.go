package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// archiveName is the file system of a store that is only read.
const archiveName = "liaison-archive"

func init() { vfs.Register(archiveName, archive{vfs.Find("")}) }

// archive opens files for reading, locks nothing and makes nothing, so that a
// copy on a medium that cannot be written can be read. A write-ahead log that
// lies beside the database is read with it, and need not be there. Connections
// are exclusive: SQLite then keeps the index of that log in memory.
type archive struct{ vfs.VFS }

const archivePragmas = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;" + readerPragmas

func (a archive) Open(_ string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (a archive) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	flags = flags&^(vfs.OPEN_READWRITE|vfs.OPEN_CREATE) | vfs.OPEN_READONLY
	f, err := os.Open(name.String())
	if errors.Is(err, fs.ErrNotExist) && flags&vfs.OPEN_WAL != 0 {
		return archived{}, flags, nil
	}
	if err != nil {
		return nil, flags, err
	}
	return archived{f}, flags, nil
}

func (a archive) Delete(string, bool) error { return sqlite3.READONLY }

// archived is a file of an archive; without one, an empty one.
type archived struct{ f *os.File }

func (a archived) ReadAt(p []byte, off int64) (int, error) {
	if a.f == nil {
		return 0, io.EOF
	}
	return a.f.ReadAt(p, off)
}

func (a archived) Size() (int64, error) {
	if a.f == nil {
		return 0, nil
	}
	info, err := a.f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (a archived) Close() error {
	if a.f == nil {
		return nil
	}
	return a.f.Close()
}

func (a archived) WriteAt([]byte, int64) (int, error)              { return 0, sqlite3.READONLY }
func (a archived) Truncate(int64) error                            { return sqlite3.READONLY }
func (a archived) Sync(vfs.SyncFlag) error                         { return nil }
func (a archived) Lock(vfs.LockLevel) error                        { return nil }
func (a archived) Unlock(vfs.LockLevel) error                      { return nil }
func (a archived) CheckReservedLock() (bool, error)                { return false, nil }
func (a archived) SectorSize() int                                 { return 0 }
func (a archived) DeviceCharacteristics() vfs.DeviceCharacteristic { return 0 }

// openArchive returns a reading connection to the database in dir, checked.
func openArchive(dir string) (*conn, error) {
	file := databaseFile(dir)
	err := checkHeader(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: restore the newest backup, or ask the neighbours (%w)", filepath.Base(file), err)
	}
	if err != nil {
		return nil, err
	}
	c, err := connect(file, archiveName, archivePragmas)
	if err != nil {
		return nil, explain(err)
	}
	if _, err = c.identify(file); err == nil {
		err = c.checkLength(file)
	}
	if err != nil {
		return nil, errors.Join(explain(err), c.close())
	}
	return c, nil
}
