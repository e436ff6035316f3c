//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestWaitingForInputEndsWithTheCommand: the first interrupt ends a command that waits for
// somebody to write: into a named pipe that nobody has opened, or into standard input.
func TestWaitingForInputEndsWithTheCommand(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pipe, "-"} {
		for what, run := range map[string]func(*app) error{
			"validate": (&validateCmd{Files: []string{name}, Mode: "admit"}).Run,
			"upgrade":  (&upgradeCmd{File: name}).Run,
			"intake":   func(a *app) error { _, err := a.read(name); return err },
		} {
			t.Run(what+" "+filepath.Base(name), func(t *testing.T) { endsWhenInterrupted(t, run, name == pipe) })
		}
	}
}

func endsWhenInterrupted(t *testing.T, run func(*app) error, named bool) {
	ctx, stop := context.WithCancel(t.Context())
	in, typing := io.Pipe()
	defer typing.Close()
	ended := make(chan error, 1)
	go func() {
		ended <- run(&app{ctx: ctx, in: &interruptedRead{in, stop}, out: &result{w: new(bytes.Buffer)}, err: new(bytes.Buffer)})
	}()
	if named {
		stop()
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was interrupted", err)
		}
	case <-time.After(patience):
		t.Error("it still waits")
	}
}

// interruptedRead is a standard input that is silent; the interrupt comes while it is read.
type interruptedRead struct {
	io.Reader
	stop func()
}

func (i *interruptedRead) Read(b []byte) (int, error) {
	i.stop()
	return i.Reader.Read(b)
}
