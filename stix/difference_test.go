package stix_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

func differences(t testing.TB, before, after string) stix.Differences {
	t.Helper()
	d, err := stix.DifferencesOf(parse(t, before), parse(t, after))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDifferencesInWords(t *testing.T) {
	long := strings.Repeat("word ", 40)
	for _, c := range []struct{ before, after, want string }{
		{`"x_a":1`, `"x_a":1.0`, ""},
		{`"x_a":"\u00e9"`, `"x_a":"é"`, ""},
		{`"x_a":{"b":1,"c":2}`, `"x_a":{"c":2,"b":1}`, ""},
		{`"x_a":9007199254740993`, `"x_a":9007199254740992`, "/x_a changed: 9007199254740993 -> 9007199254740992"},
		{`"x_a":"old"`, `"x_a":"new"`, `/x_a changed: "old" -> "new"`},
		{`"x_a":"old"`, `"x_b":"old"`, "/x_a removed: \"old\"\n/x_b added: \"old\""},
		{`"x_a":1`, `"x_a":[1]`, "/x_a changed: 1 -> [1]"},
		{`"labels":["a","b","c"]`, `"labels":["c","d","b"]`, "/labels/0 removed: \"a\"\n/labels/1 added: \"d\""},
		{`"labels":["a","b"]`, `"labels":["b","a"]`, "/labels has the same elements in another order"},
		{`"labels":["a","a"]`, `"labels":["a"]`, `/labels/1 removed: "a"`},
		{`"x_a":[{"b":1,"c":"x"},{"b":2}]`, `"x_a":[{"b":1,"c":"y"},{"b":2},{"b":3}]`, "/x_a/0/c changed: \"x\" -> \"y\"\n/x_a/2 added: {\"b\":3}"},
		{`"extensions":{"x-a":{"v":1},"x-b":{"v":1}}`, `"extensions":{"x-b":{"v":2},"x-c":{"v":1}}`,
			"/extensions/x-a removed: {\"v\":1}\n/extensions/x-b/v changed: 1 -> 2\n/extensions/x-c added: {\"v\":1}"},
		{`"x~/a":1`, `"x~/a":2`, "/x~0~1a changed: 1 -> 2"},
		{`"x_a":"` + long + `old end"`, `"x_a":"` + long + `new end"`, `/x_a changed: "...word word word word old end" -> "...word word word word new end"`},
		{`"x_a":"` + strings.Repeat("日本", 50) + `一"`, `"x_a":"` + strings.Repeat("日本", 50) + `二"`, `/x_a changed: "...` + strings.Repeat("日本", 10) + `一" -> "...` + strings.Repeat("日本", 10) + `二"`},
		{`"x_a":1`, `"x_a":"` + long + `"`, `/x_a changed: 1 -> "` + long[:80] + `... (200 characters)"`},
		{`"x_a":"one\ntwo"`, `"x_a":"one"`, `/x_a changed: "one\ntwo" -> "one"`},
		{"\"x_\\n\":1", `"x_a":{"\u2028":"\""}`, "/x_\\n removed: 1\n/x_a added: {\"\\u2028\":\"\\\\\"\"}"},
	} {
		got := strings.TrimSuffix(differences(t, identity(c.before), identity(c.after)).String(), "\n")
		if got != c.want {
			t.Errorf("%s -> %s:\n%s\nwant\n%s", c.before, c.after, got, c.want)
		}
	}
}

func TestDifferencesAreBounded(t *testing.T) {
	versions := func(names int) (before, after string) {
		for i := range names {
			before += fmt.Sprintf(`,"k%d":1`, i)
			after += fmt.Sprintf(`,"k%d":2`, i)
		}
		long := strings.Repeat("n", 10_000)
		form := func(members string) string { return identity(`"` + long + `":{"k":0` + members + `},"z_last":[1,2]`) }
		return form(before), form(after)
	}
	for _, n := range []int{1000, 1001, 3000} {
		before, after := versions(n)
		d := differences(t, before, after)
		size := 0
		for _, one := range d {
			size += len(one.Pointer)
		}
		last := d[len(d)-1]
		if cut := n > 1000; len(d) != 1000 || (last.Kind == stix.Unlisted) != cut || (last.String() == "there are more differences than are listed") != cut {
			t.Errorf("%d places differ: %d differences, the last %v", n, len(d), last)
		}
		if size > 200*len(d) {
			t.Errorf("%d places differ: %d bytes of pointers", n, size)
		}
	}
}

// mirrored says that what was added one way is removed the other.
func mirrored(forth, back stix.Differences) bool {
	count := func(all stix.Differences, k stix.DifferenceKind) (n int) {
		for _, d := range all {
			if d.Kind == k {
				n++
			}
		}
		return n
	}
	return count(forth, stix.Added) == count(back, stix.Removed) && count(forth, stix.Removed) == count(back, stix.Added) &&
		count(forth, stix.Changed) == count(back, stix.Changed) && count(forth, stix.Reordered) == count(back, stix.Reordered)
}

func TestDifferencesAreEmptyForEqualContentsAlone(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(9, 10))}
	equal, different := 0, 0
	for range 5000 {
		a, errA := stix.Parse([]byte(identity(`"x_v":`+m.value(2))), stix.DefaultLimits())
		b, errB := stix.Parse([]byte(identity(`"x_v":`+m.value(2))), stix.DefaultLimits())
		if errA != nil || errB != nil {
			continue
		}
		if err := checkDifferences(a, b); err != nil {
			t.Fatalf("%s %s: %v", a.Bytes(), b.Bytes(), err)
		}
		if d, _ := stix.DifferencesOf(a, b); len(d) == 0 {
			equal++
		} else {
			different++
		}
	}
	if equal == 0 || different == 0 {
		t.Errorf("%d equal, %d different: nothing was compared", equal, different)
	}
}

func checkDifferences(a, b *stix.Object) error {
	ca, errA := stix.Canonical(a.Bytes())
	cb, errB := stix.Canonical(b.Bytes())
	forth, err1 := stix.DifferencesOf(a, b)
	back, err2 := stix.DifferencesOf(b, a)
	same, err3 := stix.DifferencesOf(a, a)
	for _, err := range []error{errA, errB, err1, err2, err3} {
		if err != nil {
			return err
		}
	}
	switch lines := strings.Count(forth.String(), "\n"); {
	case len(same) > 0:
		return fmt.Errorf("differs from itself: %v", same)
	case (len(forth) == 0) != slices.Equal(ca, cb):
		return fmt.Errorf("equal contents: %v, differences %v", slices.Equal(ca, cb), forth)
	case !mirrored(forth, back) && forth[len(forth)-1].Kind != stix.Unlisted:
		return fmt.Errorf("forth %v, back %v", forth, back)
	case lines != len(forth):
		return fmt.Errorf("%d lines for %d differences", lines, len(forth))
	}
	return nil
}

func TestDifferencesOfRealVersions(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora", "attack")
	versions := map[stix.ID]*stix.Object{}
	compared, lines := 0, 0
	for _, name := range []string{"mobile-attack-13.1.json.gz", "mobile-attack-14.1.json.gz", "mobile-attack-17.1.json.gz"} {
		e, err := stix.ParseEnvelope(readFile(t, filepath.Join(dir, name)), roomy)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range e.Objects {
			o := item.Object
			if old := versions[o.ID()]; old != nil {
				if err := checkDifferences(old, o); err != nil {
					t.Fatalf("%s: %v", o.ID(), err)
				}
				d, _ := stix.DifferencesOf(old, o)
				compared++
				lines += len(d)
				for line := range strings.Lines(d.String()) {
					if len(line) > 1000 {
						t.Errorf("nobody reads %d bytes: %.200s", len(line), line)
					}
				}
			}
			versions[o.ID()] = o
		}
	}
	t.Logf("%d pairs of versions, %d differences", compared, lines)
}

// TestTheOrderOfMembersMakesNoDifference shuffles members at every depth.
func TestTheOrderOfMembersMakesNoDifference(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora", "reports", "oasis-examples")
	for _, path := range bundles(t, dir) {
		e, err := stix.ParseEnvelope(readFile(t, path), roomy)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range e.Objects {
			var v any
			if err := json.Unmarshal(item.Raw, &v); err != nil {
				t.Fatal(err)
			}
			shuffled, err := json.Marshal(v, jsontext.Multiline(true))
			if err != nil {
				t.Fatal(err)
			}
			if d := differences(t, string(item.Raw), string(shuffled)); len(d) > 0 {
				t.Errorf("%s: %v", item.Object.ID(), d)
			}
		}
	}
}

func FuzzDifferences(f *testing.F) {
	f.Add([]byte(identity(`"x_v":[1,{"a":2}]`)), []byte(identity(`"x_v":[{"a":3},1]`)))
	f.Add([]byte(identity(`"labels":["a","a"]`)), []byte(identity(`"labels":["a"],"x_\n":"\u2028"`)))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		a, err := stix.Parse(before, stix.DefaultLimits())
		if err != nil {
			return
		}
		b, err := stix.Parse(after, stix.DefaultLimits())
		if err != nil {
			return
		}
		if err := checkDifferences(a, b); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleDifferencesOf() {
	const form = `{"type":"malware","spec_version":"2.1","id":"malware--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","created":"2026-03-01T10:00:00.000Z",%s}`
	read := func(rest string) *stix.Object {
		o, err := stix.Parse(fmt.Appendf(nil, form, rest), stix.DefaultLimits())
		if err != nil {
			fmt.Println(err)
		}
		return o
	}
	d, err := stix.DifferencesOf(
		read(`"modified":"2026-03-01T10:00:00.000Z","name":"Gamma","is_family":true,"malware_types":["trojan","bot"]`),
		read(`"modified":"2026-03-02T09:30:00.000Z","name":"Gamma loader","is_family":true,"malware_types":["bot","downloader"]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(d)
	// Output:
	// /malware_types/0 removed: "trojan"
	// /malware_types/1 added: "downloader"
	// /modified changed: "2026-03-01T10:00:00.000Z" -> "2026-03-02T09:30:00.000Z"
	// /name changed: "Gamma" -> "Gamma loader"
}
