package relay

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/ledger"
)

// rogue is tokyo gone bad: it holds tokyo's keys and speaks the protocol with
// hq, and says in it what it likes.
type rogue struct {
	t      *testing.T
	victim *node
	tokyo  *desktest.Office
	stream *stream
	leaves []pageLeaf // tokyo's honest log of the community
}

// newRogue lets tokyo and hq learn the charters, brings six notes at tokyo and
// connects.
func newRogue(t *testing.T) *rogue {
	t.Helper()
	w := newWires()
	g := &rogue{t: t, victim: newNode(t, w, hq, []liaison.Office{tokyo}), tokyo: desktest.New(t, tokyo, desktest.Options{})}
	tell(t, g.victim)
	g.victim.Found(t, "register", "community")
	desktest.Settle(t, g.victim.Office, g.tokyo)
	learned(t, g.tokyo)
	g.tokyo.Post(t, "Japan", community, notes("tokyo", 0, 6)...)
	g.leaves = g.read(community, 0, 6)
	g.victim.start()
	g.connect()
	return g
}

// connect dials, shakes hands and says hello.
func (g *rogue) connect() {
	g.t.Helper()
	conn, err := g.victim.wires.dial(g.t.Context(), string(hq))
	if err != nil {
		g.t.Fatal(err)
	}
	r := New(Config{
		Office: tokyo, Key: g.tokyo.Keys.Relay, Viewer: registry.Neighbour, Now: g.tokyo.Clock.Now,
		Peers: func() []Peer { return []Peer{{Office: hq, Keys: [][]byte{relayKey(hq)}}} },
	})
	r.protocols = []string{ALPN1} // it asks nothing and answers nothing about logs of others
	if g.stream, err = r.greet(g.t.Context(), conn, hq); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
}

// read reads leaves of tokyo's log as hq's neighbour.
func (g *rogue) read(c liaison.CollectionID, from, to uint64) (list []pageLeaf) {
	g.t.Helper()
	p, err := g.tokyo.Desk.Read(g.t.Context(), registry.Neighbour(hq), desk.Query{What: desk.Log, Collection: c, From: from, Limit: int(to - from)})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, l := range p.Leaves {
		list = append(list, pageLeaf{Leaf: l.Leaf, Travels: l.Travels})
	}
	return list
}

func hashes(leaves []pageLeaf) (list []liaison.Hash) {
	for _, l := range leaves {
		list = append(list, liaison.LeafHash(l.Leaf))
	}
	return list
}

// sign signs, with tokyo's log key, a checkpoint over any leaves.
func (g *rogue) sign(leaves []pageLeaf) string {
	return g.signAs(g.tokyo.Origin(community), leaves)
}

func (g *rogue) signAs(origin liaison.Origin, leaves []pageLeaf) string {
	c := ledger.Checkpoint{Origin: origin, Size: uint64(len(leaves)), Root: ledger.Root(hashes(leaves))}
	return desktest.NewKeys(origin.Office).SignCheckpoint(origin, c.Text())
}

// page is the honest page of the community's leaves from..to.
func (g *rogue) page(from, to int) page {
	return page{Collection: community, From: uint64(from), Leaves: slices.Clone(g.leaves[from:to]), Note: g.sign(g.leaves[:to])}
}

func (g *rogue) send(k kind, number uint32, m any) {
	g.t.Helper()
	f, err := g.stream.relay.codec.encode(k, m)
	if err != nil {
		g.t.Fatal(err)
	}
	f.number = number
	g.raw(f.append(nil))
}

func (g *rogue) raw(b []byte) {
	g.t.Helper()
	if _, err := g.stream.conn.Write(b); err != nil {
		g.t.Fatal(err)
	}
}

// serve offers the community and its charter and answers follows: of the
// charter honestly, of the community with pages in turn.
func (g *rogue) serve(pages ...page) {
	g.send(kindOffers, 0, offers{Collections: []liaison.CollectionID{charter, community}})
	in := g.stream.in // the rogue may connect again
	go func() {
		for {
			f, err := readFrame(in, MaxFrame)
			if err != nil {
				return
			}
			var m follow
			if f.kind&^compressed != kindFollow || g.stream.relay.codec.decode(f, &m) != nil {
				continue
			}
			if m.Collection == charter {
				g.serveCharter(m)
			} else if len(pages) > 0 {
				g.send(kindPage, m.Number, pages[0])
				pages = pages[1:]
			}
		}
	}()
}

// serveCharter answers with one leaf at a time; at the end it says nothing.
func (g *rogue) serveCharter(m follow) {
	all := g.read(charter, 0, 100)
	if m.From >= uint64(len(all)) {
		return
	}
	note := g.signAs(g.tokyo.Origin(charter), all[:m.From+1])
	g.send(kindPage, m.Number, page{Collection: charter, From: m.From, Leaves: all[m.From : m.From+1], Note: note})
}

// followed returns how hq stands with tokyo's log of a collection.
func (g *rogue) followed(c liaison.CollectionID) (f FollowStatus) {
	for _, f := range g.victim.status(tokyo).Follows {
		if f.Collection == c {
			return f
		}
	}
	return f
}

// altered returns a copy of a leaf with a change, as the rogue would sign it.
func altered(l pageLeaf, change func(*liaison.Leaf)) pageLeaf {
	leaf, err := liaison.ParseLeaf(l.Leaf)
	if err != nil {
		panic(err)
	}
	change(leaf)
	return pageLeaf{Leaf: liaison.JCS(leaf), Travels: l.Travels}
}

func added(l pageLeaf) (at liaison.Instant) {
	altered(l, func(leaf *liaison.Leaf) { at = leaf.Added })
	return at
}

// tricks are what the rogue answers when hq asks for what follows its first
// three leaves.
var tricks = []struct {
	name   string
	reason Reason
	page   func(g *rogue) page
}{
	{"fewer leaves than before", Shortened, func(g *rogue) page {
		return page{Collection: community, From: 3, Note: g.sign(g.leaves[:2])}
	}},
	{"fewer leaves, and new ones", Shortened, func(g *rogue) page {
		return page{Collection: community, From: 1, Leaves: g.leaves[4:5], Note: g.sign(g.leaves[:2])}
	}},
	{"a page that begins later", Gap, func(g *rogue) page { return g.page(4, 6) }},
	{"a page that begins again", Gap, func(g *rogue) page { return g.page(0, 6) }},
	{"the last leaf left out", Omitted, func(g *rogue) page {
		p := g.page(3, 6)
		p.Leaves = p.Leaves[:2]
		return p
	}},
	{"a leaf left out in the middle", Omitted, func(g *rogue) page {
		p := g.page(3, 6)
		p.Leaves = slices.Delete(p.Leaves, 1, 2)
		return p
	}},
	{"nothing new", Omitted, func(g *rogue) page { return g.page(3, 3) }},
	{"leaves reordered", Backdated, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[3], l[4] = l[4], l[3]
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"a leaf added before the page before ended", Backdated, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[3] = altered(l[3], func(leaf *liaison.Leaf) { leaf.Added = added(l[2]) })
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"a leaf rewritten that was followed", Rewritten, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[0] = altered(l[0], func(leaf *liaison.Leaf) { leaf.Added-- })
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"a leaf rewritten after it was signed", Rewritten, func(g *rogue) page {
		p := g.page(3, 6)
		p.Leaves[2] = altered(p.Leaves[2], func(leaf *liaison.Leaf) { leaf.Added++ })
		return p
	}},
	{"a leaf that is none", Malformed, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[4].Leaf = jsontext.Value(`{"kind":"object","v":"leaf/2"}`)
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"a leaf that is not canonical", Malformed, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[4].Leaf = jsontext.Value(`{"v":"leaf/1",` + strings.Replace(string(l[4].Leaf[1:]), `,"v":"leaf/1"`, "", 1))
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"an act withheld", Mismatched, func(g *rogue) page {
		p := g.page(3, 6)
		p.Leaves[1].Travels = nil
		return p
	}},
	{"another act in its place", Mismatched, func(g *rogue) page {
		p := g.page(3, 6)
		p.Leaves[1].Travels = p.Leaves[2].Travels
		return p
	}},
	{"an act where none is named", Mismatched, func(g *rogue) page {
		l := slices.Clone(g.leaves)
		l[3] = altered(l[3], func(leaf *liaison.Leaf) {
			head := liaison.Head{Origin: g.tokyo.Origin(community), Size: 3, Root: ledger.Root(hashes(l[:3]))}
			leaf.Kind, leaf.Act, leaf.Prev = liaison.KindOpened, liaison.Hash{}, &head
		})
		return page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)}
	}},
	{"the checkpoint of another collection", ForeignOrigin, func(g *rogue) page {
		p := g.page(3, 6)
		p.Note = g.signAs(g.tokyo.Origin(charter), g.leaves)
		return p
	}},
	{"the checkpoint of another office", ForeignOrigin, func(g *rogue) page {
		p := g.page(3, 6)
		p.Note = g.signAs(liaison.Origin{Office: seoul, Collection: community, Generation: 1}, g.leaves)
		return p
	}},
	{"the checkpoint of another generation", ForeignOrigin, func(g *rogue) page {
		p := g.page(3, 6)
		p.Note = g.signAs(liaison.Origin{Office: tokyo, Collection: community, Generation: 2}, g.leaves)
		return p
	}},
	{"a page of another collection", ForeignOrigin, func(g *rogue) page {
		p := g.page(3, 6)
		p.Collection = charter
		return p
	}},
}

func TestALogThatBreaksItsPromiseIsNotFollowedAnyFurther(t *testing.T) {
	for _, trick := range tricks {
		t.Run(trick.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g := newRogue(t)
				g.serve(g.page(0, 3), trick.page(g))
				g.caught(trick.reason)
			})
		})
	}
}

// caught checks that hq stopped where the trick began, kept the evidence, went
// on with the charter and does not come back.
func (g *rogue) caught(want Reason) {
	t := g.t
	t.Helper()
	eventually(t, "hq notices", func() bool { return g.followed(community).Fork != nil })
	f := g.followed(community).Fork
	if f.Reason != want {
		t.Errorf("the reason is %s, want %s (%s)", f.Reason, want, f.Detail)
	}
	if n := g.victim.Size(t, community); n != 3 {
		t.Errorf("hq has %d leaves, want the first three", n)
	}
	known, err := ledger.ReadCheckpoint(f.Known)
	if err != nil || known.Size != 3 || !slices.Equal(ledger.Cosigners(f.Known), []liaison.Office{hq}) {
		t.Errorf("the last verified checkpoint is %q (%v)", f.Known, err)
	}
	if _, err := ledger.ReadCheckpoint(f.Claimed); err != nil {
		t.Errorf("the new checkpoint is not kept: %v", err)
	}
	eventually(t, "the charter is followed to its end", func() bool {
		c := g.followed(charter)
		return c.Size == g.tokyo.Size(t, charter) && c.Fork == nil && c.Error == ""
	})
	lines := strings.Join(g.victim.log.all(), "\n")
	if strings.Count(lines, "ERROR ") != 1 || !strings.Contains(lines, "reason="+string(want)) {
		t.Errorf("logged: %s", lines)
	}
	g.connect()
	g.serve(g.page(3, 6)) // honest again, and too late
	time.Sleep(time.Minute)
	if n := g.victim.Size(t, community); n != 3 {
		t.Errorf("hq went on to %d leaves", n)
	}
}

func TestAPageIsNotBackdatedPastARestart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRogue(t)
		g.serve(g.page(0, 3))
		eventually(t, "the first page", func() bool { return g.victim.Size(t, community) == 3 })
		g.victim.restart()
		g.connect()
		l := slices.Clone(g.leaves)
		l[3] = altered(l[3], func(leaf *liaison.Leaf) { leaf.Added = added(l[2]) })
		g.serve(page{Collection: community, From: 3, Leaves: l[3:], Note: g.sign(l)})
		g.caught(Backdated)
	})
}

func TestACheckpointNobodyKnownSignedWaitsForItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRogue(t)
		p := g.page(3, 6)
		p.Note = desktest.NewKeys(seoul).SignCheckpoint(g.tokyo.Origin(community), g.checkpoint(6).Text())
		g.serve(g.page(0, 3), p, g.page(3, 6))
		eventually(t, "hq names the trouble", func() bool { return strings.Contains(g.followed(community).Error, "no signature of") })
		if g.victim.Size(t, community) != 3 || g.followed(community).Fork != nil {
			t.Error("a page without a signature was taken, or taken for a fork")
		}
		eventually(t, "the signed page is taken", func() bool { return g.victim.Size(t, community) == 6 })
		if f := g.followed(community); f.Error != "" {
			t.Errorf("the trouble is over and still told: %s", f.Error)
		}
	})
}

func (g *rogue) checkpoint(size int) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: g.tokyo.Origin(community), Size: uint64(size), Root: ledger.Root(hashes(g.leaves[:size]))}
}

// header is a frame's first five bytes.
func header(size int, k kind) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(size)), byte(k))
}

// bomb is a frame whose body is small and decompresses to more than MaxFrame.
func bomb() []byte {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	_, _ = io.CopyN(w, zeros{}, MaxFrame+1)
	w.Close()
	return append(header(b.Len(), kindOffers|compressed), b.Bytes()...)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestWhoBreaksTheProtocolIsToldWhyAndClosed(t *testing.T) {
	frames := []struct {
		name, reason string
		send         func(*rogue)
	}{
		{"unknown kind", "a frame of unknown kind 99", func(g *rogue) { g.raw(header(0, 99)) }},
		{"longer than allowed", "offers frame of 16777217 bytes, the limit is 16777216", func(g *rogue) { g.raw(header(MaxFrame+1, kindOffers)) }},
		{"longer when decompressed", "offers frame: decompressed size exceeds", func(g *rogue) { g.raw(bomb()) }},
		{"a page without a number", "lacks its number", func(g *rogue) { g.raw(append(header(3, kindPage), 0, 0, 0)) }},
		{"not JSON", "offers frame: ", func(g *rogue) { g.raw(append(header(3, kindOffers), "{,}"...)) }},
		{"unknown member", "unknown object member name", func(g *rogue) { g.raw(append(header(9, kindPing), `{"why":1}`...)) }},
		{"not Zstandard", "offers frame: ", func(g *rogue) { g.raw(append(header(3, kindOffers|compressed), "abc"...)) }},
		{"an answer to nothing", "page answers follow 7, the last one was 0", func(g *rogue) { g.send(kindPage, 7, g.page(0, 3)) }},
		{"a second hello", "a second hello", func(g *rogue) { g.send(kindHello, 0, hello{Office: tokyo, Time: desktest.At(0)}) }},
		{"delivered without evidence", "delivered without evidence", func(g *rogue) {
			g.send(kindDelivered, 0, delivered{})
			g.send(kindDelivered, 0, delivered{})
		}},
		{"no evidence", "0 pieces of evidence", func(g *rogue) { g.send(kindEvidence, 0, evidence{}) }},
		{"a clock that jumps", "the clocks are more than 5m0s apart", func(g *rogue) { g.send(kindPing, 0, ping{Time: desktest.At(time.Hour)}) }},
	}
	for _, f := range frames {
		t.Run(f.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g := newRogue(t)
				f.send(g)
				var said bye
				for said.Reason == "" {
					in, err := readFrame(g.stream.in, MaxFrame)
					if err != nil {
						t.Fatalf("closed without a word: %v", err)
					}
					if in.kind&^compressed == kindBye {
						_ = g.stream.relay.codec.decode(in, &said)
					}
				}
				if !strings.Contains(said.Reason, f.reason) {
					t.Errorf("the reason is %q, want %q", said.Reason, f.reason)
				}
				if _, err := readFrame(g.stream.in, MaxFrame); err == nil {
					t.Error("the stream goes on")
				}
				eventually(t, "the status tells", func() bool {
					s := g.victim.status(tokyo)
					return s.Connected.IsZero() && strings.Contains(s.Error, f.reason)
				})
			})
		})
	}
}

func TestAnAcknowledgementThatWasLostIsSaidAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newRogue(t)
		g.serve(g.page(0, 3))
		eventually(t, "the first page", func() bool { return g.victim.Size(t, community) == 3 })
		g.victim.stop()
		g.victim.start()
		g.connect()
		g.send(kindOffers, 0, offers{Collections: []liaison.CollectionID{community}})
		var m ack
		for m.Size == 0 {
			f, err := readFrame(g.stream.in, MaxFrame)
			if err != nil {
				t.Fatal(err)
			}
			if f.kind&^compressed == kindAck {
				_ = g.stream.relay.codec.decode(f, &m)
			}
		}
		if m.Size != 3 || !slices.Equal(ledger.Cosigners(m.Note), []liaison.Office{hq}) {
			t.Errorf("acknowledged %d by %q", m.Size, m.Note)
		}
	})
}
