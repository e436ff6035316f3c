package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// TestASmallFileTakesNoGreatMemory: upgrade holds what it reads, so what a few kilobytes
// unpack to is bounded, in bytes and in objects.
func TestASmallFileTakesNoGreatMemory(t *testing.T) {
	for what, c := range map[string]struct {
		unit, want string
		times      int
	}{
		"bytes":   {strings.Repeat(" ", 1<<20), "larger than 128 MiB unpacked: split it", 200},
		"objects": {strings.Repeat("{},", 1000), "more than 1000000 objects", 1001},
	} {
		t.Run(what, func(t *testing.T) {
			in := packed(t, `{"objects":[`, c.unit, c.times)
			if in.Len() > 1<<20 {
				t.Fatalf("%d bytes are no small file", in.Len())
			}
			err := (&upgradeCmd{File: "-"}).Run(&app{ctx: t.Context(), in: in, out: &result{w: io.Discard}, err: io.Discard})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// packed returns by gzip a beginning and what follows it so many times.
func packed(t *testing.T, begin, unit string, times int) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, begin)
	for range times {
		io.WriteString(z, unit)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}
