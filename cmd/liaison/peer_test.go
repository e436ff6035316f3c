package main

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/relay"
)

// TestPeerListSaysWhyALogIsNotFollowed and what to do about it.
func TestPeerListSaysWhyALogIsNotFollowed(t *testing.T) {
	c, err := liaison.ParseCollectionID("db8bda5e-cf82-4350-ad45-cbb12d76682e")
	if err != nil {
		t.Fatal(err)
	}
	fork := &relay.Fork{Reason: relay.Rewritten, Detail: "the root at size 6 is another", Known: "the one", Claimed: "the other"}
	line := peerLine(relay.PeerStatus{Office: "tokyo.example.org", Follows: []relay.FollowStatus{{Collection: c, Size: 3, Fork: fork}}})
	for _, want := range []string{
		"collection " + c.String() + " at 3: not followed since", "rewritten: the root at size 6 is another", "forks/",
		"liaison peer resume tokyo.example.org " + c.String(),
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in\n%s", want, line)
		}
	}
}
