package stix_test

import (
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

const uuid = "3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"

func TestAnIDIsATypeAndAUUID(t *testing.T) {
	for _, c := range []struct {
		in, fault string // fault "" means accepted
	}{
		{"identity--" + uuid, ""},
		{"x-a--b--" + uuid, ""},
		{"identity--" + strings.ToUpper(uuid), ""},
		{"x--00000000-0000-0000-0000-000000000000", ""},
		{strings.Repeat("a", 250) + "--" + uuid, ""},
		{strings.Repeat("a", 251) + "--" + uuid, "250"},
		{strings.Repeat("a", 1_000_000) + "--" + uuid, "250"},
		{"--" + uuid, "is not a type"},
		{"", "is not a type"},
		{uuid, "is not a type"},
		{"identity-" + uuid, "is not a type"},
		{"Identity--" + uuid, "characters"},
		{"x_y--" + uuid, "characters"},
		{"identity--" + uuid[:35] + "\x00", "UUID"},
		{"identity--" + uuid[:35] + "g", "UUID"},
		{"identity--" + strings.ReplaceAll(uuid, "-", "0"), "UUID"},
		{"identity--" + uuid + " ", "is not a type"},
	} {
		id, err := stix.ParseID(c.in)
		switch {
		case c.fault == "" && (err != nil || string(id) != c.in):
			t.Errorf("%.60q: %q, %v", c.in, id, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%.60q: error is %v, want %q in it", c.in, err, c.fault)
		case err != nil && len(err.Error()) > 250:
			t.Errorf("%.60q: the message repeats the input: %d bytes", c.in, len(err.Error()))
		}
	}
}

func TestAnIDComesApartAsItWasPutTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.StringMatching(`[a-z0-9-]{1,40}`).Draw(t, "type")
		u := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		id, err := stix.ParseID(string(stix.NewID(typ, u)))
		if err != nil || id.Type() != typ || stix.NewID(id.Type(), u) != id || !strings.HasSuffix(string(id), "--"+id.UUID()) {
			t.Fatalf("%q: type %q, UUID %q, %v", id, id.Type(), id.UUID(), err)
		}
	})
}

func TestAMalformedIDHasNoParts(t *testing.T) {
	for _, id := range []stix.ID{"", "identity", "Identity--" + uuid} {
		if id.Type() != "" || id.UUID() != "" {
			t.Errorf("%q: type %q, UUID %q", id, id.Type(), id.UUID())
		}
	}
}

func TestTheSameNameHasTheSameID(t *testing.T) {
	// The example of RFC 9562, appendix A.4: www.example.com in the namespace of DNS names.
	dns := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if got := stix.DeterministicID("note", dns, "www.example.com"); got != "note--2ed6657d-e927-568b-95e1-2665a8aea6a2" {
		t.Error(got)
	}
	// Computed with Python's uuid.uuid5.
	if got := stix.SCOID("url", []byte(`{"value":"https://example.org/"}`)); got != "url--7a67ad68-c296-5b45-877a-901c4725ccff" {
		t.Error(got)
	}
}

func FuzzID(f *testing.F) {
	f.Add("identity--" + uuid)
	f.Add("x--y--" + uuid)
	f.Add("--")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := stix.ParseID(s)
		if (err == nil) != (stix.ID(s).Type() != "") {
			t.Fatalf("%q: %v, but type %q", s, err, stix.ID(s).Type())
		}
		if err == nil && id.Type()+"--"+id.UUID() != s {
			t.Fatalf("%q came apart as %q and %q", s, id.Type(), id.UUID())
		}
	})
}
