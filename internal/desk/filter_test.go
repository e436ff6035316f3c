package desk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	. "github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/stix"
	"pgregory.net/rapid"
)

// model is what a collection holds, by the words of the specification: every
// version of every object once, in the order in which they came into sight.
type model struct {
	index   uint64
	added   liaison.Instant
	object  *stix.Object
	version string
}

func (m *model) id() string { return string(m.object.ID()) }

func older(a, b string) bool {
	c, err := stix.CompareInstants(a, b)
	return err == nil && c < 0
}

// naive answers a query by looking at everything.
func naive(all []model, q desk.Query) (indexes []uint64, more bool, next uint64) {
	f := q.Filter
	matches := func(m model) bool {
		spec := m.object.SpecVersion()
		if spec == "" {
			spec = "2.1"
		}
		if len(f.IDs) > 0 && !slices.Contains(f.IDs, m.id()) || len(f.Types) > 0 && !slices.Contains(f.Types, m.object.Type()) ||
			len(f.SpecVersions) > 0 && !slices.Contains(f.SpecVersions, spec) {
			return false
		}
		first, last := true, true
		for _, o := range all {
			if o.id() == m.id() {
				first = first && !older(o.version, m.version)
				last = last && !older(m.version, o.version)
			}
		}
		if len(f.Versions) == 0 {
			return last
		}
		return slices.ContainsFunc(f.Versions, func(v string) bool {
			cmp, err := stix.CompareInstants(v, m.version)
			return v == "all" || v == "first" && first || v == "last" && last || err == nil && cmp == 0
		})
	}
	for _, m := range all {
		if m.index < q.From || m.added <= q.AddedAfter || !matches(m) {
			continue
		}
		if len(indexes) == q.Limit {
			return indexes, true, m.index
		}
		indexes = append(indexes, m.index)
	}
	return indexes, false, 0
}

// fill posts random objects and returns what was accepted of them.
func fill(t *rapid.T, o *Office, c liaison.CollectionID) (all []model) {
	names := []string{"a", "b", "c"}
	for range rapid.IntRange(0, 14).Draw(t, "objects") {
		name, v := rapid.SampledFrom(names).Draw(t, "name"), rapid.IntRange(0, 5).Draw(t, "version")
		var b []byte
		switch rapid.IntRange(0, 3).Draw(t, "sort") {
		case 0:
			b = fmt.Appendf(nil, `{"type":"ipv4-addr","spec_version":"2.1","id":"%s","value":"198.51.100.7","x_seen":%d,"object_marking_refs":["%s"]}`, ID("ipv4-addr", name), v, stix.Green.Marking())
		case 1:
			b = fmt.Appendf(nil, `{"type":"indicator","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","object_marking_refs":["%s"]}`, ID("indicator", name), v, stix.Green.Marking())
		default:
			b = note(name, v, stix.Green)
		}
		o.Clock.Move(time.Duration(rapid.IntRange(0, 2).Draw(t, "ms")) * time.Millisecond)
		out := o.Post(t, "Japan", c, b)[0]
		if out.Status != desk.Accepted {
			continue
		}
		object, err := stix.Parse(b, stix.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, model{index: out.Index, added: out.Added, object: object, version: out.Version})
	}
	return all
}

func query(t *rapid.T, all []model) desk.Query {
	some := func(name string, from []string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(from), 0, 2).Draw(t, name)
	}
	versions := []string{"all", "first", "last", "2026-01-01T00:00:03Z", "2026-01-01T00:00:01.000Z"}
	q := desk.Query{Limit: rapid.IntRange(1, 5).Draw(t, "limit"), Filter: desk.Filter{
		IDs:          some("ids", []string{string(ID("note", "a")), string(ID("ipv4-addr", "b")), string(ID("indicator", "c")), string(ID("note", "none"))}),
		Types:        some("types", []string{"note", "ipv4-addr", "indicator", "x"}),
		SpecVersions: some("specs", []string{"2.1", "2.0"}),
		Versions:     some("versions", versions),
	}}
	if len(all) > 0 {
		m := rapid.SampledFrom(all).Draw(t, "pivot")
		q.AddedAfter = rapid.SampledFrom([]liaison.Instant{0, m.added, m.added - 1}).Draw(t, "after")
		q.Filter.Versions = append(q.Filter.Versions, rapid.SampledFrom([][]string{nil, {m.version}}).Draw(t, "own version")...)
	}
	return q
}

func TestFiltersAndPagesAgreeWithANaiveReading(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		c := topic(t, o, n)
		all := fill(t, o, c)
		q := query(t, all)
		q.Collection = c
		for pages := 0; ; pages++ {
			page, err := o.Read(t, "Japan", q)
			if err != nil {
				t.Fatal(err)
			}
			want, more, next := naive(all, q)
			var got []uint64
			joined := ""
			for i, e := range page.Entries {
				got = append(got, e.Index)
				if i > 0 {
					joined += ","
				}
				joined += string(e.Bytes)
				k := slices.IndexFunc(all, func(m model) bool { return m.index == e.Index })
				if k < 0 || string(all[k].object.Bytes()) != string(e.Bytes) || all[k].added != e.Added || all[k].version != e.Version {
					t.Fatalf("entry %+v is not what was posted", e)
				}
			}
			if !slices.Equal(got, want) || page.More != more || more && page.Next != next {
				t.Fatalf("%+v\ngot %v more %v next %d, want %v %v %d", q, got, page.More, page.Next, want, more, next)
			}
			if joined != string(page.Joined) {
				t.Fatalf("joined %q, entries %q", page.Joined, joined)
			}
			if !more || pages > 20 {
				return
			}
			q.From = page.Next
		}
	})
}

// topic gives every check a collection of its own.
func topic(t *rapid.T, o *Office, n int) liaison.CollectionID {
	c := Charter{Alias: fmt.Sprint("topic-", n), Names: []string{"Japan"}, Terms: liaison.Programme{
		Name: fmt.Sprint("Topic ", n), Kind: liaison.KindPartnership, Ceiling: stix.Green, Areas: []liaison.Area{"cyber"},
	}}
	out, err := accept(o, registry.Operator(o.Name), desk.Batch{Collection: c.Collection(liaison.Charter), Items: Items(SignProgramme(c.Version1()))})
	if err != nil || out[0].Status != desk.Accepted {
		t.Fatalf("%+v %v", out, err)
	}
	return c.Collection("cyber")
}

// TestEveryVersionIsShownOnceWhateverCameByRelay: acts with equal and other
// contents for one version, in any order, with later versions between.
func TestEveryVersionIsShownOnceWhateverCameByRelay(t *testing.T) {
	seoul, tokyo := alone(t, Seoul, Options{}), alone(t, Tokyo, Options{})
	parties := map[*Office]string{seoul: "Korea", tokyo: "Japan"}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("n", n)
		c := Collection("trial", "cyber")
		want := map[string]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			for _, o := range []*Office{seoul, tokyo} {
				party := parties[o]
				if rapid.Bool().Draw(t, "posts") {
					v := rapid.IntRange(1, 3).Draw(t, "version")
					o.Clock.Move(time.Millisecond)
					text := fmt.Sprintf(`"x_text":"%s"`, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text"))
					if o.Post(t, party, c, note(name, v, stix.Green, text))[0].Status != desk.Refused {
						want[fmt.Sprintf("2026-01-01T00:00:%02d.000Z", v)] = true
					}
				}
			}
			if rapid.Bool().Draw(t, "meet") {
				tokyo.Follow(t, seoul, c)
				seoul.Follow(t, tokyo, c)
			}
		}
		tokyo.Follow(t, seoul, c)
		seoul.Follow(t, tokyo, c)
		tokyo.Follow(t, seoul, c)
		var shown [2]map[string]string
		for i, o := range []*Office{seoul, tokyo} {
			shown[i] = versions(t, o, parties[o], c, name)
		}
		if fmt.Sprint(shown[0]) != fmt.Sprint(shown[1]) || len(shown[0]) != len(want) {
			t.Fatalf("seoul shows %v\ntokyo shows %v\nwant versions %v", shown[0], shown[1], want)
		}
	})
}

func versions(t *rapid.T, o *Office, party string, c liaison.CollectionID, name string) map[string]string {
	page, err := o.Read(t, party, desk.Query{Collection: c, Filter: desk.Filter{IDs: []string{string(ID("note", name))}, Versions: []string{"all"}}})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, e := range page.Entries {
		if _, twice := shown[e.Version]; twice {
			t.Fatalf("%s shows version %s twice", o.Name, e.Version)
		}
		shown[e.Version] = string(e.Bytes)
	}
	listed, err := o.Read(t, party, desk.Query{What: desk.Versions, Collection: c, Filter: desk.Filter{IDs: []string{string(ID("note", name))}}})
	if err != nil || len(listed.Entries) != len(page.Entries) || listed.Joined != nil {
		t.Fatalf("versions: %+v %v", listed, err)
	}
	return shown
}

func TestAFullPageIsOneReadOfAThousand(t *testing.T) {
	o := alone(t, Tokyo, Options{})
	c := Collection("itpp", "cyber")
	var batch [][]byte
	for i := range desk.MaxPage + 1 {
		batch = append(batch, note(fmt.Sprint(i), 1, stix.Green))
	}
	o.Post(t, "Japan", c, batch...)
	page, err := o.Read(t, "Japan", desk.Query{Collection: c, Limit: 5000})
	if err != nil || len(page.Entries) != desk.MaxPage || !page.More || page.Next != desk.MaxPage {
		t.Errorf("%d entries, more %v, next %d, %v", len(page.Entries), page.More, page.Next, err)
	}
	page.Release()
}
