package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheVectorsAreWhatThisProgramWrites(t *testing.T) {
	want, err := vectors()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Fatalf("testdata/vectors.json:%d has\n%s\nthe generator writes\n%s", i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("testdata/vectors.json has %d lines, the generator writes %d", len(gotLines), len(wantLines))
}
