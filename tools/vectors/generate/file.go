package main

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
)

// file is the shape of testdata/vectors.json: one member per group.
type file struct {
	Keys        []keyVector        `json:"keys"`
	JCS         []jcsVector        `json:"jcs"`
	Instants    []instantVector    `json:"instants"`
	Programmes  []programmeVector  `json:"programmes"`
	Collections []collectionVector `json:"collections"`
	Commits     []commitVector     `json:"commits"`
	Acts        []actVector        `json:"acts"`
	Batches     []batchVector      `json:"batches"`
	Leaves      []leafVector       `json:"leaves"`
	Log         logVector          `json:"log"`
	Checkpoints []checkpointVector `json:"checkpoints"`
	Signed      []signedVector     `json:"signed"`
	Evidence    []evidenceVector   `json:"evidence"`
	Pins        []pinVector        `json:"pins"`
	Travels     []travelsVector    `json:"travels"`
	Receipts    []receiptVector    `json:"receipts"`
}

// keyVector is a key: the type is "note" (0x01) or "cosignature" (0x04).
type keyVector struct {
	Name   string         `json:"name"`
	Type   string         `json:"type"`
	Seed   liaison.Binary `json:"seed"`
	Public liaison.Binary `json:"public"`
	Hash   string         `json:"hash"` // eight hex digits
	VKey   string         `json:"vkey"`
}

type jcsVector struct {
	Input     string       `json:"input"`
	Canonical string       `json:"canonical"`
	H         liaison.Hash `json:"h"`
}

type instantVector struct {
	Microseconds int64  `json:"microseconds"`
	Text         string `json:"text"`
}

type programmeVector struct {
	Object   jsontext.Value `json:"object"`   // signed
	Unsigned string         `json:"unsigned"` // JCS without the signatures
	Under    liaison.Hash   `json:"under"`
	Genesis  liaison.Hash   `json:"genesis"`
}

type collectionVector struct {
	Genesis liaison.Hash         `json:"genesis"`
	Area    liaison.Area         `json:"area"`
	Epoch   uint32               `json:"epoch"`
	ID      liaison.CollectionID `json:"id"`
}

type commitVector struct {
	Salt   liaison.Hash   `json:"salt"`
	Bytes  liaison.Binary `json:"bytes"`
	Commit liaison.Hash   `json:"commit"`
}

type actVector struct {
	What string       `json:"what"`
	Act  liaison.Act  `json:"act"`
	JCS  string       `json:"jcs"`
	Hash liaison.Hash `json:"hash"`
}

type batchVector struct {
	Office     liaison.Office       `json:"office"`
	Collection liaison.CollectionID `json:"collection"`
	Acts       []liaison.Hash       `json:"acts"`
	Root       liaison.Hash         `json:"root"`
	Text       string               `json:"text"`
	Key        string               `json:"key"`
	Proofs     []liaison.BatchProof `json:"proofs"`
}

type leafVector struct {
	What string       `json:"what"`
	Leaf liaison.Leaf `json:"leaf"`
	JCS  string       `json:"jcs"`
	Hash liaison.Hash `json:"hash"`
}

// logVector is a log with everything that can be asked of it.
type logVector struct {
	Origin      liaison.Origin      `json:"origin"`
	Leaves      []string            `json:"leaves"` // JCS
	Roots       []liaison.Hash      `json:"roots"`  // by size, from 0
	Ranges      []liaison.Binary    `json:"ranges"` // by size, from 0
	Inclusion   []inclusionVector   `json:"inclusion"`
	Consistency []consistencyVector `json:"consistency"`
}

type inclusionVector struct {
	Index uint64         `json:"index"`
	Size  uint64         `json:"size"`
	Path  []liaison.Hash `json:"path"`
}

type consistencyVector struct {
	Size1 uint64         `json:"size1"`
	Size2 uint64         `json:"size2"`
	Proof []liaison.Hash `json:"proof"`
}

type checkpointVector struct {
	Origin       liaison.Origin      `json:"origin"`
	Size         uint64              `json:"size"`
	Root         liaison.Hash        `json:"root"`
	Text         string              `json:"text"`
	Key          string              `json:"key"`
	Cosignatures []cosignatureVector `json:"cosignatures"`
	Note         string              `json:"note"`
}

type cosignatureVector struct {
	Key     string `json:"key"`
	Time    int64  `json:"time"` // seconds
	Message string `json:"message"`
	Line    string `json:"line"`
}

type signedVector struct {
	What     string   `json:"what"`
	Unsigned string   `json:"unsigned"` // JCS
	Text     string   `json:"text"`
	Keys     []string `json:"keys"`
	Lines    []string `json:"lines"`
	Object   string   `json:"object"` // JCS with the signatures
	Verifies bool     `json:"verifies"`
	Schema   string   `json:"schema"`
	Pin      string   `json:"pin"`
}

type evidenceVector struct {
	Signed liaison.SignedEvidence `json:"signed"`
	Text   string                 `json:"text"`
	Key    string                 `json:"key"`
}

type pinVector struct {
	Text      string   `json:"text"`
	Keys      []string `json:"keys"`
	Threshold int      `json:"threshold"`
}

type travelsVector struct {
	What    string          `json:"what"`
	Travels liaison.Travels `json:"travels"`
}

type receiptVector struct {
	What    string          `json:"what"`
	Pin     string          `json:"pin"`
	Receipt liaison.Receipt `json:"receipt"`
	Report  reportVector    `json:"report"`
}

// reportVector is what a verifier finds.
type reportVector struct {
	Act         liaison.Hash   `json:"act"`
	Area        liaison.Area   `json:"area"`
	Epoch       uint32         `json:"epoch"`
	ProgrammeBy liaison.Office `json:"programme_by,omitzero"`
	Object      bool           `json:"object"`
	Hops        []hopVector    `json:"hops"`
}

type hopVector struct {
	Office   liaison.Office    `json:"office"`
	Kind     liaison.Kind      `json:"kind"`
	Index    uint64            `json:"index"`
	Size     uint64            `json:"size"`
	Added    liaison.Instant   `json:"added"`
	Cosigned []cosignedByAtSec `json:"cosigned"`
}

type cosignedByAtSec struct {
	Office liaison.Office `json:"office"`
	Time   int64          `json:"time"`
}
