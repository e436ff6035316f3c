package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/taxii"
)

// fullBytes is the size of a disk that fills.
const fullBytes = 24 << 20

// diskFull fills the disk of an office that is written to, and frees it: what is
// not stored is refused, reading goes on, and nobody starts the office again.
func diskFull(ctx context.Context, c *Campaign, r *Result) error {
	for range c.count(r.Fault, 1, 20) {
		for _, part := range []string{"", "anchor", "store"} {
			if err := c.fillDisk(ctx, r, part); err != nil {
				return err
			}
			r.Count++
		}
	}
	return nil
}

// fillDisk fills the file system that holds a part of an office's folder, ""
// for all of it.
func (c *Campaign) fillDisk(ctx context.Context, r *Result, part string) error {
	dir := filepath.Join(c.Dir, "full")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	small := filepath.Join(dir, part)
	if err := os.MkdirAll(small, 0o700); err != nil {
		return err
	}
	if err := c.mountSmall(ctx, small); err != nil {
		return err
	}
	defer run(context.Background(), "umount", small)
	if err := copyOffice(dir, c.ground.hq); err != nil {
		return err
	}
	s, err := c.siteIn(r, dir)
	if err != nil {
		return err
	}
	defer s.Oracle.Close()
	p, err := s.Start(ctx)
	if err != nil {
		return err
	}
	defer p.Kill()
	if err := s.whileFull(ctx, p, filepath.Join(small, "ballast")); err != nil {
		return err
	}
	p.Kill()
	return s.Check(ctx)
}

func (c *Campaign) mountSmall(ctx context.Context, dir string) error {
	if os.Geteuid() != 0 {
		return NotRun("mounting a small file system needs root")
	}
	if err := run(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0700", fullBytes), "tmpfs", dir); err != nil {
		return NotRun("a small file system cannot be mounted here: %v", err)
	}
	return nil
}

// whileFull writes, fills the disk, finds writing refused and reading going on,
// frees it, and writes again.
func (s *Site) whileFull(ctx context.Context, p *Process, ballast string) error {
	c := s.client(p.Address, demo.SampleAccount)
	defer c.HTTP.CloseIdleConnections()
	for range 3 {
		if err := s.Load.Post(ctx, c); err != nil {
			return fmt.Errorf("before the disk was full: %w", err)
		}
	}
	if err := fill(ballast); err != nil {
		return err
	}
	refused, err := s.postUntil(ctx, c, func(err error) bool { return err != nil })
	if err != nil {
		return err
	}
	if !refused {
		s.r.Fail(&s.r.Wrong, "on a full disk nothing was refused")
	}
	for range 5 {
		if _, err := s.postUntil(ctx, c, func(error) bool { return true }); err != nil {
			return err
		}
	}
	if err := s.readsAll(ctx, p); err != nil {
		return err
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	begin := time.Now()
	recovered, err := s.postUntil(ctx, c, func(err error) bool { return err == nil })
	if !recovered {
		s.r.Fail(&s.r.Wrong, "there is room again, and after %s nothing is accepted", time.Since(begin))
	}
	return err
}

// fill writes until there is no room.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for size := 1 << 20; size > 0 && err == nil; {
		if _, err = f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size, err = size/2, nil
		}
	}
	return errors.Join(err, f.Close())
}

// postUntil POSTs until an outcome is as wanted, or patience is over. What fails
// is answered with 503 and nothing else.
func (s *Site) postUntil(ctx context.Context, c *taxii.Client, wanted func(error) bool) (bool, error) {
	for end := time.Now().Add(startPatience / 2); time.Now().Before(end); {
		err := s.Load.Post(ctx, c)
		var answered *taxii.ResponseError
		switch {
		case err == nil:
		case errors.As(err, &answered) && answered.Status == http.StatusServiceUnavailable:
		case answered != nil || errors.Is(err, errAnswer):
			s.r.Fail(&s.r.Wrong, "on a full disk a client is told %v", err)
		default:
			return false, err
		}
		if wanted(err) {
			return true, nil
		}
	}
	return false, nil
}

// readsAll: everything that was acknowledged is shown.
func (s *Site) readsAll(ctx context.Context, p *Process) error {
	known, err := s.Oracle.Known()
	if err != nil {
		return err
	}
	there, err := readObjects(ctx, s.client(p.Address, reader))
	if err != nil {
		s.r.Fail(&s.r.Wrong, "reading does not go on: %v", err)
		return nil
	}
	s.compare(known, there)
	return nil
}
