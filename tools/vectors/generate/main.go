// Command generate writes testdata/vectors.json, the test vectors of
// docs/formats.md, to standard output:
//
//	go run ./tools/vectors/generate >testdata/vectors.json
//
// The same program writes the same bytes, always: keys and random values follow
// from names (package sample). The vectors are checked by tests of packages
// liaison and ledger, and by tools/vectors/verify.mjs, which shares no code with
// them. It does not check anything itself.
package main

import (
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

func main() {
	b, err := vectors()
	if err == nil {
		_, err = os.Stdout.Write(b)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// vectors returns the whole file.
func vectors() ([]byte, error) {
	w := &world{Alliance: sample.New()}
	b, err := json.Marshal(file{
		Keys: w.keys(), JCS: canonicals(), Instants: instants(), Programmes: w.programmes(),
		Collections: w.collections(), Commits: commits(), Acts: w.acts(), Batches: w.batches(),
		Leaves: w.leaves(), Log: w.log(), Checkpoints: w.checkpoints(), Signed: w.signed(),
		Evidence: w.evidence(), Pins: w.pins(), Travels: w.travels(), Receipts: w.receipts(),
	})
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(b)
	if err := v.Indent(jsontext.WithIndent(" ")); err != nil {
		return nil, err
	}
	return append(v, '\n'), nil
}
