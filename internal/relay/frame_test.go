package relay

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"pgregory.net/rapid"
)

func newTestCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAFrameComesOutAsItWentIn(t *testing.T) {
	c := newTestCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		in := page{
			Collection: community, From: rapid.Uint64Range(0, 1<<53-1).Draw(t, "from"),
			Note: rapid.String().Draw(t, "note") + strings.Repeat("x", rapid.IntRange(0, 2000).Draw(t, "pad")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "leaves") {
			leaf := liaison.Leaf{V: liaison.LeafVersion, Kind: liaison.KindObject, Act: liaison.H([]byte("act")), Added: 1}
			in.Leaves = append(in.Leaves, pageLeaf{Leaf: liaison.JCS(leaf)})
		}
		number := rapid.Uint32().Draw(t, "number")
		f, err := c.encode(kindPage, in)
		if err != nil {
			t.Fatal(err)
		}
		f.number = number
		wire := f.append(nil)
		back, err := readFrame(bytes.NewReader(wire), MaxFrame)
		if err != nil {
			t.Fatal(err)
		}
		var out page
		if err := c.decode(back, &out); err != nil {
			t.Fatal(err)
		}
		if back.number != number || out.From != in.From || out.Note != in.Note || len(out.Leaves) != len(in.Leaves) {
			t.Fatalf("%+v came out as %+v", in, out)
		}
		for i := range in.Leaves {
			if !bytes.Equal(in.Leaves[i].Leaf, out.Leaves[i].Leaf) {
				t.Fatalf("leaf %s came out as %s", in.Leaves[i].Leaf, out.Leaves[i].Leaf)
			}
		}
		for cut := range wire {
			if _, err := readFrame(bytes.NewReader(wire[:cut]), MaxFrame); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("cut at %d of %d: %v", cut, len(wire), err)
			}
		}
	})
}

func TestALengthThatIsOnlyPromisedCostsNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := readFrame(bytes.NewReader(header(MaxFrame, kindOffers)), MaxFrame); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
		t.Errorf("100 empty promises cost %d bytes", spent)
	}
}

// FuzzFrame: whatever comes, reading and decoding a frame ends in a message or
// an error, and what was read is written again as it came.
func FuzzFrame(f *testing.F) {
	c := newTestCodec(f)
	for k, m := range map[kind]any{
		kindHello: hello{Office: hq, Time: 1}, kindOffers: offers{Collections: []liaison.CollectionID{community}},
		kindFollow: follow{Number: 1, Collection: community, From: 5}, kindBye: bye{Reason: strings.Repeat("why ", 300)},
		kindPage:     page{Collection: community, Leaves: []pageLeaf{{Leaf: jsontext.Value(`{}`)}}, Note: "note"},
		kindEvidence: evidence{Evidence: []jsontext.Value{jsontext.Value(`{"key":"k"}`)}}, kindDelivered: delivered{Keys: []string{"k"}},
	} {
		frame, err := c.encode(k, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame.append(nil))
	}
	f.Add(header(1<<31, kindPage))
	f.Add(header(0, 0x7f))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := readFrame(bytes.NewReader(b), MaxFrame)
		if err != nil {
			return
		}
		if got := in.append(nil); !bytes.Equal(got, b[:len(got)]) {
			t.Errorf("%x was written as %x", b, got)
		}
		for _, m := range []any{new(hello), new(ping), new(bye), new(offers), new(follow), new(page), new(refusal), new(ack), new(evidenceIn), new(delivered)} {
			if err := c.decode(in, m); err != nil && !strings.HasPrefix(err.Error(), "the neighbour broke the protocol: ") {
				t.Errorf("%T: %v", m, err)
			}
		}
	})
}
