package office

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/liaison-office/liaison/internal/relay"
	"github.com/liaison-office/liaison/internal/store"
)

// One process of an office at a time leads: it follows the neighbours and is
// followed. Where the store is a file there is only one. Where several share a
// database, who leads holds a lease in it, and listens for neighbours only as
// long: a balancer, and a neighbour that dials again, finds the one that does.
// Two that lead for a moment do no harm: what one has committed the other finds.

const (
	leadLease = "relay"
	leadAgain = 5 * time.Second // after it could not lead, and others had a chance
)

// lead runs the relay whenever this process leads, until ctx ends.
func (o *Office) lead(ctx context.Context) error {
	l, shared := o.Store.(store.Leaser)
	if !shared {
		return o.runRelay(ctx, o.bound.Relay)
	}
	for ctx.Err() == nil {
		err := l.Lease(ctx, leadLease, o.leadOnce)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if errors.Is(err, store.ErrClosed) {
			return err
		}
		o.Log.Error("this process cannot follow neighbours; another one may", "err", err)
		select {
		case <-time.After(leadAgain):
		case <-ctx.Done():
		}
	}
	return nil
}

// leadOnce leads until ctx ends.
func (o *Office) leadOnce(ctx context.Context) error {
	listener, err := listen("relay", o.Config.Relay)
	if err != nil {
		return err
	}
	o.leads.Store(&listener)
	defer o.leads.Store(nil)
	o.Log.Info("this process follows the neighbours now, and is followed", "relay", listener.Addr().String())
	err = o.runRelay(ctx, listener)
	o.Log.Info("this process follows the neighbours no longer", "why", fmt.Sprint(context.Cause(ctx)))
	return err
}

func (o *Office) runRelay(ctx context.Context, l net.Listener) error {
	g := newGroup(ctx)
	g.add("listener", func(ctx context.Context) error { return o.Relay.Serve(ctx, l) })
	g.add("following", o.Relay.Run)
	return g.wait()
}

// relayListener is where neighbours are listened for now; nil if they are not.
func (o *Office) relayListener() net.Listener {
	if l := o.leads.Load(); l != nil {
		return *l
	}
	return o.bound.Relay
}

// peerStatus says how the relay stands with the neighbours, and that another
// process may know better.
func (o *Office) peerStatus() []relay.PeerStatus {
	list := o.Relay.Status()
	if _, shared := o.Store.(store.Leaser); !shared || o.relayListener() != nil {
		return list
	}
	for i := range list {
		list[i].Error = "one process of this office at a time follows its neighbours, and this one does not: ask where that one serves"
		list[i].Since = 0
	}
	return list
}
