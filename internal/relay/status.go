package relay

import (
	"cmp"
	"maps"
	"slices"

	"github.com/liaison-office/liaison"
)

// PeerStatus is how the relay stands with a neighbour.
type PeerStatus struct {
	Office    liaison.Office  `json:"office"`
	Address   string          `json:"address,omitzero"`   // where it is dialled; empty: it dials us
	Connected liaison.Instant `json:"connected,omitzero"` // since when; absent without a stream
	DialledBy liaison.Office  `json:"dialled_by,omitzero"`
	Error     string          `json:"error,omitzero"`       // the last one
	Since     liaison.Instant `json:"error_since,omitzero"` // when it was first seen, if it repeats
	Follows   []FollowStatus  `json:"follows"`
}

// FollowStatus is how far one collection of a neighbour was followed.
type FollowStatus struct {
	Collection liaison.CollectionID `json:"collection"`
	Size       uint64               `json:"size"` // leaves verified and committed
	// LagMillis is the time between the last leaf's added at the neighbour and
	// its commit here, in milliseconds.
	LagMillis int64           `json:"lag_ms"`
	Error     string          `json:"error,omitzero"`
	Since     liaison.Instant `json:"error_since,omitzero"`
	Fork      *Fork           `json:"fork,omitzero"` // why it is not followed any further
}

// Status lists the neighbours, by name.
func (r *Relay) Status() []PeerStatus {
	list := []PeerStatus{}
	for _, p := range r.peers() {
		s := r.neighbour(p.Office).status()
		s.Address = p.Address
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b PeerStatus) int { return cmp.Compare(a.Office, b.Office) })
	return list
}

func (n *neighbour) status() PeerStatus {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := PeerStatus{Office: n.office, Follows: []FollowStatus{}}
	s.Error, s.Since = n.trouble.status()
	if n.cur != nil {
		s.Connected, s.DialledBy = liaison.InstantOf(n.cur.since), n.cur.dialler
	}
	ids := slices.SortedFunc(maps.Keys(n.followed), func(a, b liaison.CollectionID) int { return slices.Compare(a[:], b[:]) })
	for _, c := range ids {
		f := n.followed[c]
		fs := FollowStatus{Collection: c, Size: f.size, LagMillis: f.lag.Milliseconds(), Fork: f.fork}
		fs.Error, fs.Since = f.trouble.status()
		s.Follows = append(s.Follows, fs)
	}
	return s
}

func (t trouble) status() (string, liaison.Instant) {
	if t.text == "" {
		return "", 0
	}
	return t.text, liaison.InstantOf(t.since)
}
