package stix_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/stix"
)

// chunks gives b in pieces of random length, some empty.
type chunks struct {
	b    []byte
	most int
	rand *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(len(c.b), c.rand.IntN(c.most+1))])
	c.b = c.b[n:]
	return n, nil
}

// streamed reads a stream to its end.
func streamed(s *stix.Stream) (items []stix.Item, err error) {
	for item, fault := range s.Items() {
		if fault != nil {
			return items, fault
		}
		items = append(items, item)
	}
	return items, nil
}

// sameAsParsed compares what a stream answers with what ParseEnvelope does.
func sameAsParsed(body []byte, r io.Reader, lim stix.Limits) error {
	want, wantErr := stix.ParseEnvelope(body, lim)
	s := stix.NewStream(r, lim)
	got, err := streamed(s)
	long := len(body) > lim.ObjectBytes
	var bad *stix.Error
	if long && (want.Kind == stix.SingleObject || wantErr != nil) && errors.As(err, &bad) && bad.Code == stix.CodeBadEnvelope && bad.Pointer == "/type" {
		return nil // what a stream cannot know, nor what is wrong after that
	}
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		return fmt.Errorf("stream: %v; parsed: %v", err, wantErr)
	}
	if wantErr != nil {
		return nil
	}
	if s.Kind() != want.Kind || len(got) != len(want.Objects) {
		return fmt.Errorf("stream: %v with %d elements; parsed: %v with %d", s.Kind(), len(got), want.Kind, len(want.Objects))
	}
	for i := range got {
		if err := sameItem(got[i], want.Objects[i], s.Legacy() && long, lim); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func sameItem(got, want stix.Item, late bool, lim stix.Limits) error {
	if fmt.Sprint(got.Err) != fmt.Sprint(want.Err) {
		return fmt.Errorf("stream: %v; parsed: %v", got.Err, want.Err)
	}
	if want.Object == nil {
		raw := jsontext.Value(bytes.Clone(want.Raw))
		_ = raw.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if !bytes.Equal(got.Raw, raw[:min(len(raw), lim.ObjectBytes)]) {
			return fmt.Errorf("stream keeps %q of %q", got.Raw, raw)
		}
		return nil
	}
	if !bytes.Equal(got.Object.Bytes(), want.Object.Bytes()) || !bytes.Equal(got.Raw, want.Object.Bytes()) {
		return fmt.Errorf("stream: %s; parsed: %s", got.Object.Bytes(), want.Object.Bytes())
	}
	if !late && !slices.Equal(got.Object.Findings(), want.Object.Findings()) {
		return fmt.Errorf("findings: stream: %v; parsed: %v", got.Object.Findings(), want.Object.Findings())
	}
	return nil
}

// everyWay reads a body by readers of all sorts.
func everyWay(body []byte, lim stix.Limits, rnd *rand.Rand) error {
	readers := map[string]io.Reader{
		"whole":         bytes.NewReader(body),
		"random chunks": &chunks{body, 1 + rnd.IntN(64), rnd},
		"large chunks":  &chunks{body, 100_000, rnd},
		"half":          iotest.HalfReader(bytes.NewReader(body)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(body)),
	}
	if len(body) < 10_000 {
		readers["bytes"] = iotest.OneByteReader(bytes.NewReader(body))
	}
	for name, r := range readers {
		if err := sameAsParsed(body, r, lim); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// A maker makes bodies, good and bad, with all that a stream may trip over.
type maker struct{ *rand.Rand }

func (m maker) pick(from ...string) string { return from[m.IntN(len(from))] }

func (m maker) space() string {
	return m.pick("", "", "", " ", "\n", " \r\n\t", strings.Repeat(" ", 70))
}

func (m maker) value(depth int) string {
	if depth > 0 && m.IntN(2) == 0 {
		var parts []string
		for range m.IntN(4) {
			part := m.value(depth - 1)
			parts = append(parts, part)
		}
		if m.IntN(2) == 0 {
			return "[" + m.space() + strings.Join(parts, m.space()+","+m.space()) + "]"
		}
		for i, p := range parts {
			parts[i] = `"` + m.pick("a", "b", "c", "x_ref", "日") + `"` + m.space() + ":" + p
		}
		return "{" + strings.Join(parts, m.space()+",") + m.space() + "}"
	}
	return m.pick("1", "-0.5e+7", "12345678901234567890", `"a"`, `"\ud83d\ude00é\n"`, `"\ud800"`, `"Привіт 日本"`, "true", "false", "null",
		`"`+strings.Repeat("long", m.IntN(200))+`"`, `"`+strings.Repeat(`\u0041\ud83d\ude00`, m.IntN(40))+`"`, strings.Repeat("7", 1+m.IntN(200)), strings.Repeat("[", 12)+strings.Repeat("]", 12))
}

func (m maker) element() string {
	switch m.IntN(6) {
	case 0:
		return m.value(3)
	case 1:
		return `{"type":"url","id":"url--` + uuid + `","value":` + m.value(2) + `,"x_v":` + m.value(3) + `}`
	}
	return identity(`"x_v":` + m.value(2))
}

func (m maker) elements() string {
	var parts []string
	for range m.IntN(5) {
		parts = append(parts, m.element())
	}
	return "[" + m.space() + strings.Join(parts, m.space()+","+m.space()) + m.space() + "]"
}

func (m maker) body() []byte {
	if m.IntN(4) == 0 {
		var lines []string
		for range 1 + m.IntN(4) {
			lines = append(lines, identity(`"x_v":`+m.value(2)))
		}
		return []byte(m.space() + strings.Join(lines, m.pick("\n", "\r\n\n", "\n", " ")) + m.space())
	}
	members := []string{`"objects"` + m.space() + `:` + m.space() + m.elements()}
	for _, more := range []string{`"type":"bundle"`, `"id":"bundle--` + uuid + `"`, `"spec_version":"2.0"`, `"more":true`, `"x":` + m.value(3)} {
		if m.IntN(2) == 0 {
			members = append(members, more)
		}
	}
	if m.IntN(5) == 0 {
		members = append(members, m.pick(`"type":"identity"`, `"objects":[1]`, `"objects":{}`, `"type":"\u0062undle"`, `"spec_version":"2.1"`, `"\u006fbjects":[]`))
	}
	m.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return []byte(m.space() + "{" + m.space() + strings.Join(members, m.space()+","+m.space()) + m.space() + "}" + m.space())
}

// broken changes, cuts, removes or adds a few bytes.
func (m maker) broken(b []byte) []byte {
	b = bytes.Clone(b)
	for range m.IntN(3) {
		if len(b) < 2 {
			return b
		}
		i := m.IntN(len(b))
		switch m.IntN(4) {
		case 0:
			b[i] = m.pick("{", "}", "[", "]", ",", ":", `"`, `\`, "\xff", "\x00", "\xe3", "1", "t", " ", "\n")[0]
		case 1:
			b = b[:i]
		case 2:
			b = slices.Delete(b, i, min(len(b), i+1+m.IntN(3)))
		case 3:
			b = slices.Insert(b, i, []byte(m.pick("1", ",", "{}", "[", `"`, "\xef\xbb\xbf", `\u12`))...)
		}
	}
	return b
}

func TestAStreamAnswersLikeParseEnvelope(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	kinds := map[string]int{}
	for n := range 6000 {
		body := m.body()
		if n%2 == 1 {
			body = m.broken(body)
		}
		lim := stix.Limits{ObjectBytes: []int{20, 100, 400, 1 << 20}[n/2%4], Depth: 8, Objects: 4, BodyBytes: 1 << 20}
		if err := everyWay(body, lim, m.Rand); err != nil {
			t.Fatalf("%q under %+v: %v", body, lim, err)
		}
		e, err := stix.ParseEnvelope(body, lim)
		var bad *stix.Error
		if errors.As(err, &bad) {
			kinds[bad.Code]++
			continue
		}
		kinds[e.Kind.String()]++
	}
	t.Log(kinds)
}

func TestAStreamKnowsTheDeepestBodies(t *testing.T) {
	for _, depth := range []int{9_997, 9_998, 9_999, 10_000, 10_001} {
		for _, form := range []string{`{"objects":[%s]}`, `{"x":%s}`, `{"type":"identity","x":%s}`, `{"objects":[%s],"type":"identity"}`, "%s", identity("") + "\n" + `{"x":%s}`} {
			body := fmt.Appendf(nil, form, nested(depth))
			lim := stix.Limits{ObjectBytes: 1 << 20, BodyBytes: 1 << 20, Objects: 10, Depth: 10_000}
			if err := sameAsParsed(body, bytes.NewReader(body), lim); err != nil {
				t.Errorf("%s at depth %d: %v", form, depth, err)
			}
		}
	}
}

func TestOfTwoReasonsToRefuseAnElementTheFirstCountsInAStreamToo(t *testing.T) {
	for _, element := range []string{
		nested(300), `{"a":` + nested(300) + `}`, `[` + strings.Repeat("true,", 50) + nested(300) + `]`,
		`{"a":true,"b":[` + strings.Repeat("null,", 50) + `{"c":1,"c":1}]}`, `["` + strings.Repeat("a", 200) + `\ud800"]`,
		`["` + strings.Repeat("a", 90) + `\ud800"]`, strings.Repeat("[],", 50)[:149], `{"a":1,"a":2,"b":"` + strings.Repeat("b", 200) + `"}`,
	} {
		body := []byte(`{"objects":[` + element + `]}`)
		for _, size := range []int{5, 98, 99, 100, 101, 102, 103, 104, 500} {
			lim := stix.Limits{ObjectBytes: size, Depth: 250, Objects: 100, BodyBytes: 1 << 20}
			if err := sameAsParsed(body, bytes.NewReader(body), lim); err != nil {
				t.Errorf("%.40s with a limit of %d: %v", element, size, err)
			}
		}
	}
}

func TestAStreamReadsRealFilesLikeParseEnvelope(t *testing.T) {
	dir := filepath.Join(shared(t), "corpora")
	rnd := rand.New(rand.NewPCG(3, 4))
	lim := stix.Limits{ObjectBytes: 1 << 20, Objects: 1 << 20, BodyBytes: 1 << 30}
	paths := bundles(t, filepath.Join(dir, "reports"))
	paths = append(paths, bundles(t, filepath.Join(dir, "fimi", "viginum"))...)
	paths = append(paths, bundles(t, filepath.Join(dir, "attack"))...)
	paths = append(paths, filepath.Join(dir, "attack", "capec-2.1.objects.jsonl.gz"))
	elements := 0
	for _, path := range paths {
		body := readFile(t, path)
		if err := sameAsParsed(body, &chunks{body, 1 << (rnd.IntN(18)), rnd}, lim); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		e, _ := stix.ParseEnvelope(body, lim)
		elements += len(e.Objects)
		cut := body[:rnd.IntN(len(body))]
		if err := sameAsParsed(cut, bytes.NewReader(cut), lim); err != nil {
			t.Errorf("%s cut at %d: %v", filepath.Base(path), len(cut), err)
		}
	}
	t.Logf("%d files, %d elements", len(paths), elements)
}

// pieces gives texts one after another without holding them.
type pieces struct {
	next func() (string, bool)
	rest string
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		var ok bool
		if p.rest, ok = p.next(); !ok {
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// live returns the bytes that are in use.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A weighedReader gives head, then text again and again up to size, then tail, and notes
// how much memory is in use meanwhile.
type weighedReader struct {
	pieces
	given int
	most  int64
}

func newWeighedReader(head, text, tail string, size int) *weighedReader {
	const interval = 4 << 20
	w := &weighedReader{}
	state := 0
	w.next = func() (string, bool) {
		switch {
		case state == 0:
			state = 1
			return head, true
		case state == 1 && w.given < size:
			if w.given%interval < len(text) {
				w.most = max(w.most, live())
			}
			w.given += len(text)
			return text, true
		case state == 1:
			state = 2
			return tail, true
		}
		return "", false
	}
	return w
}

func TestAStreamOf40MBNeedsLittleMemory(t *testing.T) {
	const size, allowed = 40 << 20, 32 << 20
	ordinary := string(indicator(1))
	for _, c := range []struct {
		name             string
		head, text, tail string
		elements         int // 0 is any number
	}{
		{"bundle", `{"type":"bundle","id":"bundle--` + uuid + `","objects":[` + ordinary, "," + ordinary, `]}`, 0},
		{"kind comes last", `{"objects":[` + ordinary, "," + ordinary, `],"type":"bundle"}`, 0},
		{"refused elements", `{"objects":[1`, `,{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}", `]}`, 0},
		{"lines", "", ordinary + "\n", "", 0},
		{"one large string", `{"objects":[` + ordinary + `,{"a":"`, strings.Repeat("a", 1000), `"},` + ordinary + `]}`, 3},
		{"one large number", `{"objects":[`, strings.Repeat("7", 1000), `]}`, 1},
		{"one large list", `{"objects":[{"a":[0`, strings.Repeat(",0", 1000), `]}]}`, 1},
		{"white space", `{"objects":[{"a":`, strings.Repeat(" \n", 1000), `1}]}`, 1},
		{"a large object", `{"type":"identity","x":[1`, strings.Repeat(",1", 1000), `]}`, 1},
		{"a large member beside", `{"objects":[1],"x":["`, strings.Repeat("a", 1000), `"]}`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			baseline := live()
			r := newWeighedReader(c.head, c.text, c.tail, size)
			items := 0
			for _, err := range stix.NewStream(r, stix.Limits{}).Items() {
				if err != nil {
					t.Fatal(err)
				}
				items++
			}
			if r.most-baseline > allowed {
				t.Errorf("%d bytes above the baseline", r.most-baseline)
			}
			if c.elements > 0 && items != c.elements {
				t.Errorf("%d elements, want %d", items, c.elements)
			}
			t.Logf("%d elements, at most %d KiB above the baseline", items, (r.most-baseline)>>10)
		})
	}
}

func TestTooManyNamesBesideObjectsEndAStream(t *testing.T) {
	n := 0
	r := &pieces{next: func() (string, bool) {
		n++
		return fmt.Sprintf(`%s"name-%d":1`, []string{",", "{"}[min(1, 1/n)], n), n < 1_000_000
	}}
	_, err := streamed(stix.NewStream(r, stix.Limits{}))
	var bad *stix.Error
	if !errors.As(err, &bad) || bad.Code != stix.CodeTooLarge || n > 500_000 {
		t.Errorf("%v after %d names", err, n)
	}
}

func TestAnElementThatIsRefusedDoesNotEndAStream(t *testing.T) {
	good := identity("")
	body := `{"objects":[` + good + `,{"a":1,"a":2},7,` + identity(`"x_v":"`+strings.Repeat("a", 5000)+`"`) + `,` + good + `]}`
	items, err := streamed(stix.NewStream(strings.NewReader(body), stix.Limits{ObjectBytes: 1000}))
	if err != nil || len(items) != 5 || items[4].Object == nil {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for i, code := range []string{"", stix.CodeDuplicateName, stix.CodeNotObject, stix.CodeTooLarge, ""} {
		if e := items[i].Err; (e == nil) != (code == "") || e != nil && e.Code != code {
			t.Errorf("element %d: %v, want %s", i, e, code)
		}
	}
	if len(items[3].Raw) != 1000 {
		t.Errorf("%d bytes kept of an element that is too large", len(items[3].Raw))
	}
}

func TestASyntaxErrorEndsAStreamAfterWhatCameBefore(t *testing.T) {
	good := identity("")
	body := `{"objects":[` + good + `,` + good + `;`
	items, err := streamed(stix.NewStream(strings.NewReader(body), stix.Limits{}))
	want := fmt.Sprintf("not JSON at byte %d:", len(body)-1)
	if len(items) != 2 || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%d items and %v, want %q", len(items), err, want)
	}
}

func TestAReaderThatFailsEndsAStream(t *testing.T) {
	good := identity("") + "\n"
	failure := errors.New("connection lost")
	items, err := streamed(stix.NewStream(io.MultiReader(strings.NewReader(good+good[:20]), iotest.ErrReader(failure)), stix.Limits{}))
	if len(items) != 1 || !errors.Is(err, failure) || !strings.Contains(err.Error(), fmt.Sprintf("at byte %d", len(good)+20)) {
		t.Errorf("%d items, %v", len(items), err)
	}
	items, err = streamed(stix.NewStream(io.MultiReader(strings.NewReader(good), iotest.ErrReader(failure)), stix.Limits{}))
	if len(items) != 1 || !errors.Is(err, failure) {
		t.Errorf("a failure after the last object: %d items, %v", len(items), err)
	}
	if _, err := streamed(stix.NewStream(&chunks{[]byte(good), 0, rand.New(rand.NewPCG(1, 1))}, stix.Limits{})); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

func TestAStreamKeepsToTheLimitsThatAreSet(t *testing.T) {
	lines := strings.Repeat(identity("")+"\n", 20_000)
	if items, err := streamed(stix.NewStream(strings.NewReader(lines), stix.Limits{})); err != nil || len(items) != 20_000 {
		t.Errorf("without limits: %d, %v", len(items), err)
	}
	for code, lim := range map[string]stix.Limits{stix.CodeTooMany: {Objects: 5}, stix.CodeTooLarge: {BodyBytes: 1000}} {
		items, err := streamed(stix.NewStream(strings.NewReader(lines), lim))
		var bad *stix.Error
		if !errors.As(err, &bad) || bad.Code != code || lim.Objects > 0 && len(items) != lim.Objects {
			t.Errorf("%s: %d, %v", code, len(items), err)
		}
	}
}

func TestAStreamTellsObjectsThatTheirBundleIsOfSTIX20(t *testing.T) {
	relation := `{"type":"relationship","id":"relationship--` + uuid + `","created":"2017-01-01T00:00:00.000Z","modified":"2017-01-01T00:00:00.000Z",` +
		`"relationship_type":"uses","source_ref":"malware--` + uuid + `","target_ref":"tool--` + uuid + `"}`
	long := relation + strings.Repeat(","+relation, 5000)
	for _, c := range []struct {
		body         string
		legacy, told bool
	}{
		{`{"type":"bundle","spec_version":"2.0","objects":[` + relation + `]}`, true, true},
		{`{"objects":[` + relation + `],"spec_version":"2.0","type":"bundle"}`, true, true},
		{`{"type":"bundle","spec_version":"2.0","objects":[` + long + `]}`, true, true},
		{`{"type":"bundle","objects":[` + long + `],"spec_version":"2.0"}`, true, false},
		{`{"type":"bundle","objects":[` + relation + `]}`, false, false},
	} {
		s := stix.NewStream(strings.NewReader(c.body), stix.Limits{})
		items, err := streamed(s)
		if err != nil || s.Legacy() != c.legacy {
			t.Fatalf("%.60s: legacy %v, %v", c.body, s.Legacy(), err)
		}
		told := strings.Contains(items[0].Object.Findings()[0].Message, "STIX 2.0")
		if told != c.told {
			t.Errorf("%.60s: told %v, want %v: %v", c.body, told, c.told, items[0].Object.Findings())
		}
	}
}

func TestWhoHasEnoughStopsAStream(t *testing.T) {
	for _, body := range []string{
		strings.Repeat(identity("")+"\n", 10), `{"objects":[` + identity("") + `,` + identity("") + `]}`,
		`{"type":"bundle","spec_version":"2.1","objects":[` + identity("") + `,` + identity("") + `,;`,
	} {
		s := stix.NewStream(strings.NewReader(body), stix.Limits{})
		n := 0
		for _, err := range s.Items() {
			if err != nil {
				t.Error(err)
			}
			n++
			break
		}
		if n != 1 {
			t.Errorf("%.40s: %d items", body, n)
		}
		if _, err := streamed(s); err == nil {
			t.Error("a stream is read twice")
		}
	}
}

// BenchmarkStream reads the same bundle as a stream and whole.
func BenchmarkStream(b *testing.B) {
	var body []byte
	for n := range 1000 {
		body = append(append(body, indicator(n)...), ',')
	}
	body = fmt.Appendf(nil, `{"type":"bundle","id":"bundle--%s","objects":[%s]}`, uuid, body[:len(body)-1])
	for name, read := range map[string]func() (int, error){
		"stream": func() (int, error) {
			items, err := streamed(stix.NewStream(bytes.NewReader(body), stix.Limits{}))
			return len(items), err
		},
		"whole": func() (int, error) {
			e, err := stix.ParseEnvelope(body, stix.DefaultLimits())
			return len(e.Objects), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if n, err := read(); n != 1000 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	m := maker{rand.New(rand.NewPCG(5, 6))}
	for range 50 {
		f.Add(m.body(), uint16(m.IntN(2000)), uint64(m.IntN(1000)))
	}
	f.Fuzz(func(t *testing.T, body []byte, size uint16, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		lim := stix.Limits{ObjectBytes: 1 + int(size), Depth: 8, Objects: 16, BodyBytes: 1 << 20}
		if err := sameAsParsed(body, &chunks{body, 1 + rnd.IntN(100), rnd}, lim); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleNewStream() {
	body := strings.NewReader(`{"type":"bundle","id":"bundle--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","objects":[
		{"type":"url","id":"url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f","value":"https://example.org/"},
		{"type":"url","value":"no id"}
	]}`)
	s := stix.NewStream(body, stix.Limits{})
	for item, err := range s.Items() {
		switch {
		case err != nil:
			fmt.Println("the end:", err)
		case item.Err != nil:
			fmt.Println("refused:", item.Err)
		default:
			fmt.Println(item.Object.ID())
		}
	}
	fmt.Println(s.Kind())
	// Output:
	// url--3f1c2a9b-6d4e-4c8a-9b7f-0e1d2c3b4a5f
	// refused: /id: object has no id (no-id)
	// bundle
}
