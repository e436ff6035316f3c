//go:build !unix

package pgserver

import (
	"os"
	"syscall"
)

type account struct{}

func serverUser() (account, error) { return account{}, ErrAbsent }

func (account) attributes() *syscall.SysProcAttr { return nil }

func (account) folder(string) (string, error) { return "", ErrAbsent }

func apart() *syscall.SysProcAttr { return nil }

// TempDir is where folders of servers would be made.
func TempDir() string { return os.TempDir() }
