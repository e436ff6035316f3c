//go:build !unix

package pgserver

import "syscall"

type account struct{}

func serverUser() (account, error) { return account{}, ErrAbsent }

func (account) attributes() *syscall.SysProcAttr { return nil }

func (account) folder(string) (string, error) { return "", ErrAbsent }

func apart() *syscall.SysProcAttr { return nil }
