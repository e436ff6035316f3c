package stix_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// formCases have texts that a property takes and their neighbours that it does not.
var formCases = []struct {
	typ, property string
	right, wrong  []string
}{
	{"url", "value", []string{
		"http://x", "http://x/", "https://user:pw@x.org:8080/a;b/c?d=e/f?g#h/i?j", "http://[::1]/a", "http://[::1]:80", "http://[v1.a:b]/",
		"http://x:/", "file:///etc/passwd", "mailto:a@b.org", "urn:uuid:" + uuid, "http://x/%5Ba%5D", "data:,a", "http://x?y", "http://x#y",
		"http://_dmarc.x/", "http://%C3%A9/", "//x:a"[2:], "ftp://x/a@b:c", "http://1.2.3.4:65535/",
	}, []string{
		"http://x/[a]", "http://x/?a[]=1", "http://[::1", "http://[::1]a", "http://[::1]:b", "http://[1.2.3.4]/", "http://[fe80::1%25en0]/",
		"http://[]/", "http://[v.a]/", "http://[vz.a]/", "http://[v1.]/", "http://[v1.a%41]/", "http://x:port/", "http://a:b:80/", "a:b#c#d", "a#b#c",
		"http://a@b@c/", "http://x/a b", "http://x/%5", "http://x/%zz", "://x", "1http://x", "http:", "x", "http://é/", "http://x/\\\\a", "http://x[1]/",
	}},
	{"domain-name", "value", []string{
		"example.org", "example.org.", "org", "EXAMPLE.org", "_dmarc.example.org", "3com.com", "r3---sn-a.googlevideo.com", "xn--bcher-kva.example",
		"bücher.example", "例え.テスト", "пример.рф", "אב.com", "_bücher.example"[1:],
		"ประเทศไทยแห่งความสุขใจของเรา.ไทย",
		strings.Repeat("a", 63) + ".org",
		strings.Repeat(strings.Repeat("a", 62)+".", 4) + "a",
	}, []string{
		"", ".", "a..b", ".a", "-foo-.com", "-foo.com", "foo-.com", "foo!$%.com", "☃*^.com", "a_b.com", "_.com", "_-a.com", "*.example.org", "a b.com", "a/b", "é_b.com",
		"-é.com", "é-.com", "a。b.com", "אa.com", "http://x", "1.2.3.4:80",
		strings.Repeat("a", 64) + ".org",
		strings.Repeat("ü", 60) + ".org",
		strings.Repeat(strings.Repeat("a", 62)+".", 4) + "aa",
		strings.Repeat("ประเทศไทยแห่งความสุขใจของเรา.", 6) + "ไทย",
	}},
	{"email-addr", "value", []string{
		"a@x.org", "a.b+c@x.org", "o'neil@x.org", `\"a b\"@x.org`, `\"a@b\"@x.org`, `\"a\\\"b\"@x.org`, "a@localhost", "a@[192.0.2.1]", "a@[IPv6:::1]", "é@bücher.example", "{a}|~@x.org",
	}, []string{
		"a", "@x.org", "a@", "a@b@c", "foo..bar@x.org", ".a@x.org", "a.@x.org", "a,b@x.org", "a b@x.org", "A <a@x.org>", "a@x..org", "a@x.org.", "a@[1", "a@[]", "a@x,org", "a@[a b]",
		`\"a\"b\"@x.org`, `\"a@x.org`, `\"a\\\"@x.org`, "a:b@x.org", "a(b)@x.org",
	}},
	{"software", "cpe", []string{
		"cpe:2.3:a:b:c:1.0:*:*:*:*:*:*:*", "cpe:2.3:a:b:*c*:1.?:-:*:*:*:*:*:*", "cpe:2.3:a:b:??c:1*:*:*:*:*:*:*:*", `cpe:2.3:a:b:c\\*d\\?:1:*:*:*:*:*:*:*`, `cpe:2.3:a:b:c\\:d:1:*:*:*:*:*:*:*`,
	}, []string{
		"cpe:2.3:a:b:**a:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:a*b:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:a?b:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:**:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:??:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:*?a:1:*:*:*:*:*:*:*",
		"cpe:2.3:a:b:a?*:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:c:1:*:*:*:*:*:*", "cpe:2.3:a:b:c:1:*:*:*:*:*:*:*:*", "cpe:2.3:a:b::1:*:*:*:*:*:*:*", "cpe:2.3:a:b c:d:1:*:*:*:*:*:*:*", `cpe:2.3:a:b:c:1:*:*:*:*:*:*:*\\`,
	}},
}

// TestFormsTakeWhatTheirStandardHas: and nothing beside it.
func TestFormsTakeWhatTheirStandardHas(t *testing.T) {
	for _, c := range formCases {
		at := "/" + c.property + ": "
		of := func(text string) []string {
			return saidOf(t, observable(c.typ, `"name":"a","`+c.property+`":"`+text+`"`), stix.FindForm)
		}
		for _, text := range c.right {
			if said := of(text); len(said) > 0 {
				t.Errorf("%s %s: %q", c.typ, strconv.Quote(text), said)
			}
		}
		for _, text := range c.wrong {
			if said := of(text); len(said) != 1 || !strings.HasPrefix(said[0], at) {
				t.Errorf("%s %s: %q, want one finding at %s", c.typ, strconv.Quote(text), said, at)
			}
		}
	}
}

// TestPlainFormsAllocateNothing: a text of ASCII that is right is looked at where it stands.
// The name of a mutex has no form, so what it costs is the rest.
func TestPlainFormsAllocateNothing(t *testing.T) {
	cost := func(typ, members string) float64 {
		o := parse(t, withItsID(t, observable(typ, members)))
		if f := o.Findings(); len(f) > 0 {
			t.Errorf("%s: %+v", typ, f)
		}
		return testing.AllocsPerRun(100, func() { o.Findings() })
	}
	rest := cost("mutex", `"name":"a"`)
	for typ, members := range map[string]string{
		"url":         `"value":"https://user@x.org:8080/a/b?c=d#e"`,
		"domain-name": `"value":"_dmarc.mail.example.org"`,
		"email-addr":  `"value":"first.last@example.org"`,
		"software":    `"name":"a","cpe":"cpe:2.3:a:b:c:1.0:*:*:*:*:*:*:*"`,
		"file":        `"name":"a","size":7`,
	} {
		if n := cost(typ, members); n > rest {
			t.Errorf("%s: %v allocations, a mutex needs %v", typ, n, rest)
		}
	}
}

// withItsID gives an observable the id that its properties make.
func withItsID(t *testing.T, in string) string {
	t.Helper()
	o := parse(t, in)
	id, ok := stix.DeterministicSCOID(o)
	if !ok {
		t.Fatalf("%s has no id of its own", in)
	}
	return strings.Replace(in, string(o.ID()), string(id), 1)
}
