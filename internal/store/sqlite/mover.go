package sqlite

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// mover moves the write-ahead log into the database on a connection of its own,
// while the writer goes on.
//
// It syncs the log before. An fsync that fails may lose what another connection
// has written and not synced, and leave that one's own fsync to succeed. So the
// two never sync at once (guard), and after a failure no commit succeeds.
type mover struct {
	*conn
	mu    sync.Mutex    // held while the log is moved
	due   chan struct{} // capacity 1
	ended chan struct{} // closed when run has returned
	guard *guard
}

func (m *mover) begin() {
	select {
	case m.due <- struct{}{}:
	default: // it is under way, and goes round once more
	}
}

// openMover opens its connection to a database that is open already.
func openMover(file, base string) (*mover, error) {
	if base == "" {
		base = volumeName
	}
	g := &guard{VFS: vfs.Find(base), name: fmt.Sprintf("liaison-mover-%d", movers.Add(1))}
	vfs.Register(g.name, g)
	c, err := connect(file, g.name, moverPragmas)
	if err != nil {
		vfs.Unregister(g.name)
		return nil, err
	}
	return &mover{conn: c, guard: g, due: make(chan struct{}, 1), ended: make(chan struct{})}, nil
}

func (m *mover) close() error {
	defer vfs.Unregister(m.guard.name)
	return m.conn.close()
}

// movers counts the names of guards.
var movers atomic.Int64

// guard is the mover's file system. Commits run under its lock too.
type guard struct {
	vfs.VFS
	name string

	mu     sync.Mutex
	failed error // why nothing more is committed or moved; guarded by mu
}

// apart runs a commit while the mover does not sync.
func (g *guard) apart(commit func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return g.failed
	}
	return commit()
}

// stop keeps the mover from moving what it has not begun to.
func (g *guard) stop(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed = err
}

func (g *guard) stopped() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed != nil
}

func (g *guard) Open(_ string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (g *guard) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(g.VFS, name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, flags, err
	}
	return guardedLog{newVolumeFile(f, flags), g}, flags, nil
}

// guardedLog is the write-ahead log as the mover has it open.
type guardedLog struct {
	volumeFile
	guard *guard
}

func (f guardedLog) Sync(flags vfs.SyncFlag) error {
	f.guard.mu.Lock()
	defer f.guard.mu.Unlock()
	err := f.volumeFile.Sync(flags)
	if err != nil {
		f.guard.failed = fmt.Errorf("sync the write-ahead log: %w", err)
	}
	return err
}
