package stix_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// checkSplit holds a split against its promises.
func checkSplit(objects []*stix.Object, parts [][]*stix.Object, lim stix.Limits) error {
	if joined := slices.Concat(parts...); !slices.Equal(joined, objects) {
		return fmt.Errorf("%d objects in order became %d", len(objects), len(joined))
	}
	for i, part := range parts {
		size := len(stix.BuildBundle("bundle--"+uuid, part))
		if len(part) == 0 || len(part) > lim.Objects || size > lim.BodyBytes {
			return fmt.Errorf("part %d has %d objects in %d bytes", i, len(part), size)
		}
		if i+1 < len(parts) && len(part) < lim.Objects && size+1+len(parts[i+1][0].Bytes()) <= lim.BodyBytes {
			return fmt.Errorf("part %d has room for the next object", i)
		}
	}
	return nil
}

func TestASplitBundleHasTheSameObjectsInPartsThatAreFull(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var objects []*stix.Object
		for range rnd.IntN(12) {
			objects = append(objects, parse(t, identity(`"x_v":"`+strings.Repeat("a", rnd.IntN(900))+`"`)))
		}
		lim := stix.Limits{BodyBytes: 1300 + rnd.IntN(3000), Objects: 1 + rnd.IntN(5)}
		parts, err := stix.SplitBundle(objects, lim)
		if err == nil {
			err = checkSplit(objects, parts, lim)
		}
		if err != nil {
			t.Fatalf("%d objects under %+v: %v", len(objects), lim, err)
		}
	}
}

func TestAnObjectThatFitsNoBundleIsNamed(t *testing.T) {
	objects := []*stix.Object{parse(t, identity("")), parse(t, identity(`"x_v":"`+strings.Repeat("a", 900)+`"`))}
	alone := len(stix.BuildBundle("bundle--"+uuid, objects[1:]))
	if _, err := stix.SplitBundle(objects, stix.Limits{BodyBytes: alone}); err != nil {
		t.Errorf("it fits exactly: %v", err)
	}
	_, err := stix.SplitBundle(objects, stix.Limits{BodyBytes: alone - 1})
	var bad *stix.Error
	if !errors.As(err, &bad) || bad.Code != stix.CodeTooLarge || bad.Pointer != "/objects/1" {
		t.Errorf("%v", err)
	}
}

// nodeID is the id of a note that stands for n.
func nodeID(n int) stix.ID { return stix.ID(fmt.Sprintf("note--00000000-0000-4000-8000-%012d", n)) }

// node returns the n-th note, which refers to others.
func node(t testing.TB, n int, modified string, more string, refs ...int) *stix.Object {
	t.Helper()
	var all []string
	for _, r := range refs {
		all = append(all, `"`+string(nodeID(r))+`"`)
	}
	if modified != "" {
		more += `,"modified":"` + modified + `"`
	}
	return parse(t, fmt.Sprintf(`{"type":"note","id":"%s","object_refs":[%s]%s}`, nodeID(n), strings.Join(all, ","), more))
}

func idsOf(objects []*stix.Object) string {
	var ids []string
	for _, o := range objects {
		ids = append(ids, strings.TrimLeft(string(o.ID()[len(o.ID())-12:]), "0"))
	}
	return strings.Join(ids, " ")
}

func TestAClosureHasWhatIsReachedAndSaysWhatIsMissing(t *testing.T) {
	const tlp = `,"object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]`
	set := []*stix.Object{
		node(t, 1, "", tlp, 2, 3, 2), node(t, 2, "", "", 4, 1), node(t, 3, "", "", 3, 9, 8), node(t, 4, "", "", 9), node(t, 5, "", "", 1),
		node(t, 6, "2026-01-01T00:00:00.000Z", "", 1), node(t, 6, "2026-01-02T00:00:00Z", "", 4), node(t, 6, "2026-01-02T00:00:00.0Z", "", 5), node(t, 6, "", "", 5),
	}
	for _, c := range []struct {
		from          []stix.ID
		found, missed string
	}{
		{[]stix.ID{nodeID(1)}, "1 2 3 4", "9 from [3 4]; 8 from [3]"},
		{[]stix.ID{nodeID(4)}, "4", "9 from [4]"},
		{[]stix.ID{nodeID(6)}, "6 4", "9 from [4]"},
		{[]stix.ID{nodeID(7), nodeID(2), nodeID(2)}, "2 4 1 3", "7 from []; 9 from [4 3]; 8 from [3]"},
		{nil, "", ""},
	} {
		got := stix.ClosureOf(set, c.from...)
		var missed []string
		for _, m := range got.Missing {
			var from []string
			for _, id := range m.From {
				from = append(from, strings.TrimLeft(string(id[len(id)-12:]), "0"))
			}
			missed = append(missed, fmt.Sprintf("%s from %v", strings.TrimLeft(string(m.ID[len(m.ID)-12:]), "0"), from))
		}
		if idsOf(got.Objects) != c.found || strings.Join(missed, "; ") != c.missed {
			t.Errorf("from %v: %q, missing %q, want %q and %q", c.from, idsOf(got.Objects), missed, c.found, c.missed)
		}
	}
}

func TestAClosureTakesTheDefinitionsOfExtensionsThatAreThere(t *testing.T) {
	const id = "extension-definition--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"
	o := node(t, 1, "", `,"extensions":{"`+id+`":{"extension_type":"property-extension"},"x-other":{"a":1}}`, 1)
	definition := parse(t, `{"type":"extension-definition","id":"`+id+`","created_by_ref":"identity--`+uuid+`"}`)
	if c := stix.ClosureOf([]*stix.Object{o, definition}, nodeID(1)); len(c.Objects) != 2 || len(c.Missing) != 1 || c.Missing[0].ID != "identity--"+uuid {
		t.Errorf("%+v", c)
	}
	if c := stix.ClosureOf([]*stix.Object{o}, nodeID(1)); len(c.Objects) != 1 || len(c.Missing) != 0 {
		t.Errorf("%+v", c)
	}
}

// checkClosure holds a closure against its meaning.
func checkClosure(set []*stix.Object, ids []stix.ID, c stix.Closure) error {
	there, reached, missing := map[stix.ID]bool{}, map[stix.ID]bool{}, map[stix.ID]bool{}
	for _, o := range set {
		there[o.ID()] = true
	}
	for _, o := range c.Objects {
		if reached[o.ID()] || !there[o.ID()] {
			return fmt.Errorf("%s is twice in the closure, or was not in the set", o.ID())
		}
		reached[o.ID()] = true
	}
	for _, m := range c.Missing {
		if missing[m.ID] || there[m.ID] || stix.IsTLP(m.ID) {
			return fmt.Errorf("%s is missing twice, or is known", m.ID)
		}
		missing[m.ID] = true
	}
	wanted := slices.Clone(ids)
	for _, o := range c.Objects {
		wanted = append(wanted, o.Refs()...)
	}
	for _, id := range wanted {
		if !reached[id] && !missing[id] && !stix.IsTLP(id) {
			return fmt.Errorf("%s is neither in the closure nor missing", id)
		}
	}
	return nil
}

func TestClosuresOfRealBundles(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	for _, part := range []string{"reports", "fimi/viginum"} {
		for _, path := range bundles(t, filepath.Join(dir, filepath.FromSlash(part))) {
			e, err := stix.ParseEnvelope(readFile(t, path), roomy)
			if err != nil {
				continue
			}
			var set []*stix.Object
			for _, item := range e.Objects {
				if item.Object != nil {
					set = append(set, item.Object)
				}
			}
			for _, o := range set {
				if o.Type() != "report" {
					continue
				}
				c := stix.ClosureOf(set, o.ID())
				if err := checkClosure(set, []stix.ID{o.ID()}, c); err != nil {
					t.Errorf("%s: %v", filepath.Base(path), err)
				}
				t.Logf("%.30s: a report reaches %d of %d objects, %d are missing", filepath.Base(path), len(c.Objects), len(set), len(c.Missing))
			}
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte(`{"objects":[`+identity("")+`,`+identity(`"x_ref":"note--`+uuid+`"`)+`]}`), uint16(500), uint8(2))
	f.Fuzz(func(t *testing.T, body []byte, size uint16, count uint8) {
		e, err := stix.ParseEnvelope(body, stix.DefaultLimits())
		if err != nil {
			return
		}
		var set []*stix.Object
		var ids []stix.ID
		for _, item := range e.Objects {
			if item.Object != nil {
				set = append(set, item.Object)
				ids = append(ids, item.Object.Refs()...)
			}
		}
		lim := stix.Limits{BodyBytes: 1 + int(size), Objects: 1 + int(count)}
		if parts, err := stix.SplitBundle(set, lim); err == nil {
			if err := checkSplit(set, parts, lim); err != nil {
				t.Fatal(err)
			}
		}
		if err := checkClosure(set, ids, stix.ClosureOf(set, ids...)); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleSplitBundle() {
	var objects []*stix.Object
	for n := range 5 {
		o, err := stix.Parse(fmt.Appendf(nil, `{"type":"url","id":"url--3f1c2a9b-6d4e-4c8a-9b7f-00000000000%d","value":"https://example.org/%d"}`, n, n), stix.DefaultLimits())
		if err != nil {
			fmt.Println(err)
			return
		}
		objects = append(objects, o)
	}
	parts, err := stix.SplitBundle(objects, stix.Limits{Objects: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, part := range parts {
		fmt.Println(len(part), "objects from", part[0].ID())
	}
	// Output:
	// 2 objects from url--3f1c2a9b-6d4e-4c8a-9b7f-000000000000
	// 2 objects from url--3f1c2a9b-6d4e-4c8a-9b7f-000000000002
	// 1 objects from url--3f1c2a9b-6d4e-4c8a-9b7f-000000000004
}

func TestWhoRefersToWhatIsMissingIsListedOnce(t *testing.T) {
	var set []*stix.Object
	var ids []stix.ID
	for i := range 30_000 {
		id := fmt.Sprintf("identity--%08d-2222-4333-8444-555555555555", i)
		set = append(set, parse(t, `{"type":"identity","id":"`+id+`","created_by_ref":"identity--`+uuid+`","x_refs":["tool--`+uuid+`","identity--`+uuid+`"]}`))
		ids = append(ids, stix.ID(id))
	}
	c := stix.ClosureOf(set, ids...)
	if len(c.Missing) != 2 || !slices.Equal(c.Missing[0].From, ids) || !slices.Equal(c.Missing[1].From, ids) {
		t.Errorf("%d missing", len(c.Missing))
	}
}

func ExampleClosureOf() {
	e, err := stix.ParseEnvelope([]byte(`{"objects":[
		{"type":"url","id":"url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","value":"https://example.org/"},
		{"type":"note","id":"note--0c8b5e2f-1a3d-4b6c-8d9e-7f6a5b4c3d2e","content":"seen again",
		 "created_by_ref":"identity--5f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","object_refs":["url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f"]}
	]}`), stix.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	set := []*stix.Object{e.Objects[0].Object, e.Objects[1].Object}
	c := stix.ClosureOf(set, set[1].ID())
	for _, o := range c.Objects {
		fmt.Println("with it goes", o.ID())
	}
	for _, m := range c.Missing {
		fmt.Println("missing", m.ID)
	}
	// Output:
	// with it goes note--0c8b5e2f-1a3d-4b6c-8d9e-7f6a5b4c3d2e
	// with it goes url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f
	// missing identity--5f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f
}
