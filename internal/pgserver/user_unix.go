//go:build unix

package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whose processes a server's are: root may not run one.
type account struct {
	*syscall.Credential // nil: who runs this process
}

func serverUser() (account, error) {
	if os.Getuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, errors.Join(err1, err2)
	}
	return account{}, errors.New("root may not run PostgreSQL, and there is neither a user postgres nor nobody")
}

// attributes puts a process into a group of its own: a signal for a whole
// terminal is not for it.
func (a account) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.Credential, Setpgid: true}
}

// apart puts a process where no signal for this one's group reaches it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// folder makes a folder of the account, closed to others.
func (a account) folder(parent string) (string, error) {
	if parent == "" {
		parent = TempDir()
	}
	dir, err := os.MkdirTemp(parent, "liaison-pg-")
	if err != nil {
		return "", err
	}
	if a.Credential != nil {
		err = os.Chown(dir, int(a.Uid), int(a.Gid))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("a folder for PostgreSQL: %w", err), os.Remove(dir))
	}
	return dir, nil
}

// TempDir is where folders of servers are made: every user can go there.
func TempDir() string {
	if dir := os.TempDir(); len(dir) <= maxSocket && openToAll(dir) {
		return dir
	}
	return "/tmp"
}

// openToAll reports whether every user can go to a folder.
func openToAll(dir string) bool {
	dir, err := filepath.Abs(dir)
	for err == nil && dir != "/" {
		var info os.FileInfo
		if info, err = os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
			return false
		}
		dir = filepath.Dir(dir)
	}
	return err == nil
}
