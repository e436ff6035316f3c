// Package durable writes the files of an office that are not in its database.
//
// # Invariants
//
//   - A file is there whole or not at all, whatever ends the process or the
//     machine: it is written beside its place, synced, renamed, and its folder is
//     synced.
//   - What a function was asked to do is durable when it returns nil. When it
//     returns an error the old file or the new one is there.
//   - Files are readable by their owner alone.
//
// # What it does not do
//
// It does not keep two writers of one file apart.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/fault/point"
)

// beside ends the name of a file that is being written.
const beside = ".new"

// WriteFile writes a file, in the place of the one that is there.
func WriteFile(path string, b []byte) error {
	if err := write(path+beside, os.O_TRUNC, b); err != nil {
		return err
	}
	point.At("durable.before-rename")
	if err := Rename(path+beside, path); err != nil {
		return err
	}
	point.At("durable.renamed")
	return nil
}

// Create writes a file that must not be there yet. A crash may leave a part of
// it: it is for files in a folder that gets its name when it is complete.
func Create(path string, b []byte) error {
	if err := write(path, os.O_EXCL, b); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Rename renames a file or a folder within a folder.
func Rename(from, to string) error {
	if err := rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// Try says why a file of n bytes could not be written now: it writes one, without
// waiting for the disk, and removes it.
func Try(path string, n int) error {
	f, err := create(path, os.O_TRUNC)
	if err != nil {
		return err
	}
	err = errors.Join(writeTo(f, make([]byte, n)), f.Close())
	if e := os.Remove(path); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(sync(f, disk.SyncDir), f.Close())
}

// write writes and syncs a file.
func write(path string, flag int, b []byte) error {
	f, err := create(path, flag)
	if err != nil {
		return err
	}
	err = writeTo(f, b)
	if err == nil {
		err = sync(f, disk.Sync)
	}
	return errors.Join(err, f.Close())
}

// The operations below go through the failing disk of a program that has one.

func create(path string, flag int) (f *os.File, err error) {
	open := func() (err error) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|flag, 0o600)
		return err
	}
	if disk.On {
		err = disk.OfProgram.Do(disk.Create, path, open)
	} else {
		err = open()
	}
	if err != nil && f != nil {
		f.Close()
	}
	return f, err
}

func writeTo(f *os.File, b []byte) (err error) {
	if disk.On {
		_, err = disk.OfProgram.WriteAt(f.Name(), b, 0, f.WriteAt, f.ReadAt)
	} else {
		_, err = f.WriteAt(b, 0)
	}
	return err
}

func sync(f *os.File, op disk.Op) error {
	if disk.On {
		return disk.OfProgram.Do(op, f.Name(), f.Sync)
	}
	return f.Sync()
}

func rename(from, to string) error {
	do := func() error { return os.Rename(from, to) }
	if disk.On {
		return disk.OfProgram.Rename(from, to, do)
	}
	return do()
}
