package relay

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
)

// The messages, one for each kind of frame.
type (
	// hello is the first frame of both sides.
	hello struct {
		Office liaison.Office  `json:"office"`
		Time   liaison.Instant `json:"time"` // of the sender's clock
	}

	// ping keeps the stream alive and compares clocks again.
	ping struct {
		Time liaison.Instant `json:"time"`
	}

	// bye says why the sender closes the stream.
	bye struct {
		Reason string `json:"reason"`
	}

	// offers lists all that the receiver may follow, charters first. It
	// replaces the list before.
	offers struct {
		Collections []liaison.CollectionID `json:"collections"`
	}

	// follow asks for the page that begins at an index; it is answered, with
	// its number, by page, gone or busy. It replaces an earlier follow of the
	// collection.
	follow struct {
		Number     uint32               `json:"number"` // from 1, increasing
		Collection liaison.CollectionID `json:"collection"`
		From       uint64               `json:"from"`
		// Version 2. Generation is that of the log which is followed; absent means
		// whatever it is. Whole asks for the objects that came from the follower too:
		// it has lost them.
		Generation uint32 `json:"generation,omitzero"`
		Whole      bool   `json:"whole,omitzero"`
	}

	// page brings leaves, and the checkpoint of exactly the page's end.
	page struct {
		Collection liaison.CollectionID `json:"collection"`
		From       uint64               `json:"from"`
		Leaves     []pageLeaf           `json:"leaves"`
		Note       string               `json:"note"`
	}

	// pageLeaf is a leaf with what travels of its act.
	pageLeaf struct {
		Leaf    jsontext.Value   `json:"leaf"` // canonical; hashed as it is
		Travels *liaison.Travels `json:"travels,omitzero"`
		Erased  liaison.Hash     `json:"erased,omitzero"` // the act, further on in the log, that erased its object
	}

	// refusal is gone (the collection cannot be followed) or busy (it cannot
	// be answered now; behind says that the sender's log is shorter, generation
	// that the log is of another one than is followed: version 2).
	refusal struct {
		Number     uint32 `json:"number"`
		Behind     bool   `json:"behind,omitzero"`
		Generation uint32 `json:"generation,omitzero"`
	}

	// ack is the receiver's checkpoint with the sender's cosignature: so much
	// of the log is committed here.
	ack struct {
		Collection liaison.CollectionID `json:"collection"`
		Size       uint64               `json:"size"`
		Note       string               `json:"note"`
	}

	// evidence goes back towards the offices of the acts. The next one is sent
	// after delivered.
	evidence struct {
		Evidence []jsontext.Value `json:"evidence"` // desk.Evidence
	}

	evidenceIn struct {
		Evidence []desk.Evidence `json:"evidence"`
	}

	// recall asks what the receiver knows of the sender's own logs: without a
	// collection the newest checkpoint of each, else the leaves of that log from an
	// index on. After is that of the answer before. It is answered by recalled
	// before the next one (version 2).
	recall struct {
		Collection liaison.CollectionID `json:"collection,omitzero"`
		From       uint64               `json:"from"`
		After      string               `json:"after,omitzero"`
	}

	// recalled answers recall. The leaves come in any order, each under a
	// checkpoint that the receiver of the answer signed. After is where the next
	// recall goes on; without it there is nothing more.
	recalled struct {
		Heads    []string        `json:"heads,omitzero"`
		Doubtful bool            `json:"doubtful,omitzero"` // the sender's store was restored: it may have known more
		Returned []desk.Returned `json:"returned,omitzero"`
		After    string          `json:"after,omitzero"`
	}

	// delivered acknowledges evidence by its keys.
	delivered struct {
		Keys []string `json:"keys"`
	}
)
