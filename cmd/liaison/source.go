package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that unpacking zstd may take, in bytes: what zstd -19 writes
// needs 8 MiB, --long 128 MiB.
const maxWindow = 128 << 20

// peeked is how much of the beginning of a file is looked at before it is read.
const peeked = 4096

// A source is a file that is read from its beginning to its end, unpacked.
type source struct {
	in    *bufio.Reader
	close func()
}

// open opens a file, or standard input for "-". Gzip and zstd are known by their first
// bytes, whatever the file is called.
func (a *app) open(name string) (*source, error) {
	f, err := a.reader(name)
	if err != nil {
		return nil, err
	}
	s, err := unpack(a.ctx, f, func() { f.Close() })
	if err != nil {
		f.Close()
	}
	return s, err
}

// reader opens a file, or standard input for "-", to be read as it is. What may let its
// reader wait, such as a pipe, ends with the command.
func (a *app) reader(name string) (io.ReadCloser, error) {
	if name == "-" {
		return awaited(a.ctx, func() (io.ReadCloser, error) { return io.NopCloser(a.in), nil }), nil
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return awaited(a.ctx, func() (io.ReadCloser, error) { return os.Open(name) }), nil
	}
	return os.Open(name)
}

// awaited opens and reads beside the command: opening a named pipe waits for who writes into
// it, reading for what is written, and neither looks at ctx. The end of ctx ends the reading.
func awaited(ctx context.Context, open func() (io.ReadCloser, error)) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		f, err := open()
		if err == nil {
			_, err = io.Copy(in, f)
			f.Close()
		}
		in.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	return &awaiting{out, stop}
}

// awaiting is the end of a pipe that is read.
type awaiting struct {
	*io.PipeReader
	stop func() bool
}

func (a *awaiting) Close() error {
	a.stop()
	return a.PipeReader.Close()
}

func unpack(ctx context.Context, r io.Reader, done func()) (*source, error) {
	packed := bufio.NewReaderSize(&stoppable{ctx, r}, peeked)
	magic, err := packed.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(magic), "\x1f\x8b"):
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		return &source{bufio.NewReaderSize(z, peeked), done}, nil
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("unpack zstd: %w", err)
		}
		return &source{bufio.NewReaderSize(z, peeked), func() { z.Close(); done() }}, nil
	}
	return &source{packed, done}, nil
}

// stoppable ends reading when ctx ends.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}

// stixName tells the files of a folder that are read.
var stixName = regexp.MustCompile(`(?i)\.(json|jsonl|stix)(\.(gz|zst))?$`)

// A named is a file that the arguments name, itself or by a folder that it is in or below.
type named struct {
	name     string
	inFolder bool
	err      error // why it cannot be read, if that is known: it may be a folder
}

// files calls read for every file that the arguments name: for a folder, those in it and
// below it whose name is that of JSON. It returns how many others there are.
func files(args []string, read func(named) error) (others int, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-" || err == nil && !info.IsDir():
			err = read(named{name: arg})
		case err == nil:
			var n int
			n, err = walk(os.DirFS(arg), arg, read)
			others += n
		}
		if err != nil {
			return others, err
		}
	}
	return others, nil
}

// walk calls read for the files of a folder. Links to files are followed, to folders not.
// An entry that cannot be read does not stop it, unless it is the folder itself.
func walk(folder fs.FS, root string, read func(named) error) (others int, err error) {
	err = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		file := named{filepath.Join(root, filepath.FromSlash(path)), true, err}
		switch {
		case err != nil && path == ".":
			return err
		case err != nil:
			return read(file)
		case d.IsDir():
			return nil
		}
		info, err := fs.Stat(folder, path)
		switch {
		case !stixName.MatchString(path),
			errors.Is(err, fs.ErrNotExist), // a link that leads nowhere is no file
			err == nil && !info.Mode().IsRegular():
			others++
			return nil
		}
		file.err = err
		return read(file)
	})
	return others, err
}
