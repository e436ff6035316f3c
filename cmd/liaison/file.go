package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
)

// localLimits let a file be larger than what an office takes at once: submit
// splits it. An element takes memory however short it is, hence their bound.
var localLimits = stix.Limits{BodyBytes: maxFile, Objects: 1_000_000}

// maxFile bounds a file that is read, in bytes.
const maxFile = 512 << 20

// read reads a file, or standard input for "-".
func (a *app) read(name string) ([]byte, error) {
	in, err := a.reader(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB: split it", name, maxFile>>20)
	}
	return b, err
}

// write writes to a file, or to standard output for "" and "-".
func (a *app) write(name string, b []byte) error {
	return a.writeTo(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// writeTo lets fill write to a file, which appears when it is complete or not
// at all, or to standard output for "" and "-". A device or pipe is written to.
func (a *app) writeTo(name string, fill func(io.Writer) error) error {
	if name == "" || name == "-" {
		return fill(a.out)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(fill(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// pointer names an element of a body, or a place in it: /objects/3/id, or
// "object 4 /id" where there is one object a line.
func pointer(env stix.Envelope, i int, inside string) string {
	switch env.Kind {
	case stix.SingleObject:
		return inside
	case stix.Lines:
		return fmt.Sprintf("object %d %s", i+1, inside)
	}
	return fmt.Sprintf("/objects/%d%s", i, inside)
}

// place makes a pointer the beginning of a message.
func place(pointer string) string {
	if pointer == "" {
		return ""
	}
	return pointer + ": "
}

// parseInstant reads a date, a date with a time, or an RFC 3339 instant; what
// names no zone is UTC. The empty text is no instant.
func parseInstant(s string) (liaison.Instant, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return liaison.InstantOf(t), nil
		}
	}
	return 0, fmt.Errorf("%.40q is not an instant such as 2026-01-31, 2026-01-31T14:30:00Z or 2026-01-31T14:30:00+09:00", s)
}
