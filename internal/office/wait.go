package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/liaison-office/liaison/internal/store/sqlite"
)

// How long a command waits for an office that another process is just opening
// or closing, and how often it looks.
const (
	busyPatience = 10 * time.Second
	busyPause    = 20 * time.Millisecond
)

// errStopping is what an office that is being stopped answers its operator.
var errStopping = errors.New("the office is being stopped")

// whenFree repeats try while another process holds the office's store or is
// about to give it up, for busyPatience at most.
func whenFree[T any](ctx context.Context, opt Options, try func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, busyPatience)
	defer cancel()
	said := false
	for {
		got, err := try()
		if !passing(err) {
			return got, err
		}
		if !said && opt.Log != nil {
			opt.Log.Debug("waiting for another process", "err", err)
		}
		said = true
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return got, err
		}
	}
}

// passing reports whether an error comes from an office that opens or stops: its
// lock is held and its socket is not there, or a connection ends unanswered.
func passing(err error) bool {
	for _, e := range []error{sqlite.ErrInUse, errStopping, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// OpenToServe opens the office of a folder; a command that has it open just now
// is waited for, an office that serves already is not. Close must be called.
func OpenToServe(ctx context.Context, dir string, opt Options) (*Office, error) {
	return whenFree(ctx, opt, func() (*Office, error) {
		o, err := Open(ctx, dir, opt)
		if !errors.Is(err, sqlite.ErrInUse) {
			return o, err
		}
		if conn, dialErr := dialOperator(ctx, dir); dialErr == nil {
			conn.Close()
			return nil, fmt.Errorf("an office serves from this folder already: %v", err) // no wait ends that
		}
		return nil, err
	})
}

// Call runs an operation on the office of a folder: over its socket if it is
// serving, otherwise by opening it for as long as the operation takes. Checking
// a folder changes nothing in it. What an office that stops leaves unanswered is
// asked again: every operation done twice has done no more than once, but for a
// token, of which one more is made that nobody sees.
func Call(ctx context.Context, dir, name string, opt Options, request, reply any) error {
	cfg, err := LoadConfig(dir)
	if err != nil {
		return err
	}
	opt.ReadOnly = (name == opFsck || name == opStats) && cfg.hasHistory(dir)
	opt.newKeys = name == opControl || name == opCard // the way from new keys to an office object that names them
	o, err := whenFree(ctx, opt, func() (*Office, error) {
		if conn, err := dialOperator(ctx, dir); err == nil {
			conn.Close()
			return nil, CallServing(ctx, dir, name, request, reply)
		}
		return Open(ctx, dir, opt)
	})
	if o == nil {
		return err
	}
	do := func(ctx context.Context) error { return o.Operator().Do(ctx, name, request, reply) }
	if opt.ReadOnly {
		err = do(ctx)
	} else {
		err = o.Work(ctx, do)
	}
	return errors.Join(err, o.Close())
}

// serveOperator answers the operator until ctx ends.
func (o *Office) serveOperator(ctx context.Context) error {
	return serveHTTP(o.bound.Operator, o.Operator().handler(ctx), o.Log)(ctx)
}

// asked wraps why the serving office did not answer. If its socket has gone since
// it was found, the office is being stopped.
func asked(err error) error {
	err = fmt.Errorf("ask the serving office: %w", err)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return errors.Join(errStopping, err)
	}
	return err
}
