package fault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/fault/disk"
	"github.com/liaison-office/liaison/internal/office"
)

// erasure: a party erases one of the objects that it released.
func erasure(_ context.Context, c *Campaign, r *Result) (*trial, error) {
	s, err := c.newTrial(r)
	if err != nil {
		return nil, err
	}
	return &trial{Site: s,
		act: func(ctx context.Context, p *Process) error {
			if err := s.postAndRead(ctx, p); err != nil {
				return err
			}
			if err := s.erase(ctx); err != nil && disk.OfProgram.Failed() == "" {
				return err
			}
			return s.readsAll(ctx, p)
		},
		check: s.checkErased,
	}, nil
}

// erase asks a serving office to erase an object that was acknowledged, if one
// was.
func (s *Site) erase(ctx context.Context) error {
	o, ok, err := s.victim()
	if err != nil || !ok {
		return err
	}
	return s.eraseThis(ctx, o)
}

// victim returns the object that is erased: always the same one of those that
// were acknowledged and have one version.
func (s *Site) victim() (o Sent, ok bool, err error) {
	if s.erased != nil {
		return *s.erased, true, nil
	}
	known, err := s.Oracle.Known()
	if err != nil {
		return o, false, err
	}
	versions := map[string]int{}
	for k := range known.Sent {
		versions[k.id]++
	}
	for k, a := range known.Acked {
		if versions[k.id] == 1 && (!ok || a.ID < o.ID) {
			o, ok = a.Sent, true
		}
	}
	if ok {
		s.erased = &o
	}
	return o, ok, nil
}

// checkErased starts the office again. What was erased stays so, and what was not
// is erased now; then no file of the store holds it.
func (s *Site) checkErased(ctx context.Context) error {
	o, ok, err := s.victim()
	if err != nil || !ok {
		return errors.Join(err, s.Check(ctx))
	}
	p, err := s.Start(ctx)
	if err != nil {
		s.r.Fail(&s.r.Wrong, "the office does not start any more: %v", err)
		return nil
	}
	there, err := readObjects(ctx, s.client(p.Address, reader))
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	if _, shown := there[key{o.ID, o.Version}]; shown {
		if err := s.eraseThis(ctx, o); err != nil {
			s.r.Fail(&s.r.Wrong, "an object cannot be erased when the office works again: %v", err)
			return errors.Join(p.Stop(), s.Check(ctx))
		}
	}
	if err := s.awaitScrub(ctx, o.ID); err != nil {
		return errors.Join(err, p.Stop())
	}
	return errors.Join(p.Stop(), s.Check(ctx))
}

// eraseThis erases an object and tells the oracle.
func (s *Site) eraseThis(ctx context.Context, o Sent) error {
	r := office.EraseRequest{Collection: demo.SampleCollection, Object: o.ID, As: demo.SampleAccount}
	if err := s.Oracle.Erasing([]Sent{o}); err != nil {
		return err
	}
	var reply office.EraseReply
	if err := office.CallServing(ctx, s.Dir, "erase", r, &reply); err != nil {
		return err
	}
	if file, err := s.holds(o.ID); err != nil || file != "" && reply.Left == "" {
		s.r.Fail(&s.r.Wrong, "the erasure was acknowledged without a word, and %s still holds the id (%v)", file, err)
	}
	return s.Oracle.Erased([]Sent{o})
}

// holds returns a file of the store that holds a text, "" if none does.
func (s *Site) holds(text string) (file string, err error) {
	files, err := filepath.Glob(filepath.Join(s.Dir, "store", "*"))
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(text)) {
			return filepath.Base(f), nil
		}
	}
	return "", nil
}

// awaitScrub waits until no file of the store holds a text.
func (s *Site) awaitScrub(ctx context.Context, text string) error {
	for end := time.Now().Add(pointPatience); ; {
		file, err := s.holds(text)
		if err != nil || file == "" {
			return err
		}
		if time.Now().After(end) {
			s.r.Fail(&s.r.Wrong, "%s still holds the id of what was erased", file)
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// driveErase lets an office die while a party erases an object, or while the
// files are freed of it.
func driveErase(ctx context.Context, _ *Campaign, s *Site, env string) (died bool, err error) {
	p, err := s.Start(ctx)
	if err != nil {
		return false, err
	}
	c := s.client(p.Address, demo.SampleAccount)
	for range 3 {
		if err := s.Load.Post(ctx, c); err != nil {
			return false, errors.Join(err, p.Stop())
		}
	}
	if err := p.Stop(); err != nil {
		return false, err
	}
	if p, err = s.Start(ctx, env); err == nil {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		s.erase(short) // it may be answered, or not
		died = p.dies()
	} else if died = errors.Is(err, errDied); !died {
		return false, err
	}
	return died, s.checkErased(ctx)
}
