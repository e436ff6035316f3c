package pattern_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix/pattern"
)

// shapes grow in every way in which a pattern can be long; n is how often a part is repeated.
var shapes = map[string]func(n int) string{
	"observations AND": func(n int) string { return joined(n, "[file:size = 1]", " AND ") },
	"observations mixed": func(n int) string {
		return joined(n, "[file:size = 1] OR [file:size = 2] AND [file:size = 3]", " FOLLOWEDBY ")
	},
	"groups":            func(n int) string { return joined(n, "(([file:size = 1]) WITHIN 5 SECONDS)", " AND ") },
	"comparisons OR":    func(n int) string { return "[" + joined(n, "file:size = 1", " OR ") + "]" },
	"comparisons mixed": func(n int) string { return "[" + joined(n, "(file:size = 1 AND (file:size = 2))", " OR ") + "]" },
	"set":               func(n int) string { return "[file:size IN (" + joined(n, "12", ", ") + ")]" },
	"set of hashes": func(n int) string {
		return "[file:hashes.MD5 IN (" + joined(n, "'cead3f77f6cda6ec00f57d76c9a6879f'", ", ") + ")]"
	},
	"path":                    func(n int) string { return "[file:" + joined(n, "a[*]", ".") + " = 1]" },
	"name":                    func(n int) string { return "[file:" + strings.Repeat("a", n) + " = 1]" },
	"string":                  func(n int) string { return "[file:name = '" + strings.Repeat(`\\`, n) + "']" },
	"string never closed":     func(n int) string { return "[file:name = '" + strings.Repeat("a", n) },
	"bad escape at the end":   func(n int) string { return "[file:name = '" + strings.Repeat("a", n) + `\n']` },
	"hex":                     func(n int) string { return "[file:x_hex = h'" + strings.Repeat("0f", n) + "']" },
	"base64":                  func(n int) string { return "[file:x_bin = b'" + strings.Repeat("AA\nAA", n) + "']" },
	"float":                   func(n int) string { return "[file:x_number = 0." + strings.Repeat("3", n) + "]" },
	"integer of zeros":        func(n int) string { return "[file:x_number = 1" + strings.Repeat("0", n) + "]" },
	"timestamp":               func(n int) string { return "[file:ctime = t'2026-01-02T03:04:05." + strings.Repeat("3", n) + "Z']" },
	"white space":             func(n int) string { return "[file:size =" + strings.Repeat("\u2003 ", n) + "1]" },
	"open parentheses":        func(n int) string { return strings.Repeat("(", n) },
	"open brackets":           func(n int) string { return strings.Repeat("[", n) },
	"apostrophes":             func(n int) string { return strings.Repeat("'", n) },
	"address that is none":    func(n int) string { return "[ipv4-addr:value ISSUBSET '" + strings.Repeat("1", n) + "']" },
	"hash of a long name":     func(n int) string { return "[file:hashes.'" + strings.Repeat("SHA-", n) + "' = 'x']" },
	"qualifiers of groups":    func(n int) string { return "([file:size = 1])" + strings.Repeat(" REPEATS 2 TIMES", n) },
	"lines, fault at the end": func(n int) string { return "[file:size = 1" + strings.Repeat("\n", n) + "?" },
}

func joined(n int, part, by string) string { return strings.Repeat(part+by, n-1) + part }

// TestTwiceTheLengthIsTwiceTheWork: no text makes the parser look at a byte more often than a
// few times.
func TestTwiceTheLengthIsTwiceTheWork(t *testing.T) {
	for name, shape := range shapes {
		const n = 2000
		parse1, check1 := pattern.Work(shape(n))
		parse2, check2 := pattern.Work(shape(2 * n))
		if parse2 > 2*parse1+200 || check2 > 2*check1+200 {
			t.Errorf("%s: twice the length takes %d instead of %d steps to parse, %d instead of %d to check", name, parse2, parse1, check2, check1)
		}
		if long := len(shape(2 * n)); parse2 > 6*long {
			t.Errorf("%s: %d bytes take %d steps", name, long, parse2)
		}
	}
}

// TestLongPatternsPrintAsTheyParse: the promise of printing holds for every shape at length.
func TestLongPatternsPrintAsTheyParse(t *testing.T) {
	for name, shape := range shapes {
		text := shape(300)
		p, err := pattern.Parse(text)
		if checked := pattern.Check(text); (checked == nil) != (err == nil) {
			t.Errorf("%s: Parse says %v and Check says %v", name, err, checked)
		}
		if err == nil {
			printsAndParsesBack(t, p)
		}
	}
}

// TestAPatternIsBounded: beyond its length a pattern is refused, whatever it says.
func TestAPatternIsBounded(t *testing.T) {
	fits := "[file:size = 1" + strings.Repeat(" ", pattern.MaxBytes-15) + "]"
	if err := pattern.Check(fits); err != nil || len(fits) != pattern.MaxBytes {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	var e *pattern.Error
	if err := pattern.Check(fits + " "); !errors.As(err, &e) || e.Offset != pattern.MaxBytes || !strings.Contains(e.Expected, strconv.Itoa(pattern.MaxBytes)) {
		t.Errorf("one byte more: %v", err)
	}
}

// TestTextThatIsNotUnicodeIsRefused: the error says at which byte (§9.4).
func TestTextThatIsNotUnicodeIsRefused(t *testing.T) {
	for text, offset := range map[string]int{
		"[file:name = 'a\xff']":       15,
		"[file:name = '\ufffd\xc3(']": 17,
		"[file:name = '\xed\xa0\x80'": 14,
		"\xff":                        0,
	} {
		var e *pattern.Error
		if err := pattern.Check(text); !errors.As(err, &e) || e.Offset != offset || !strings.Contains(e.Found, "UTF-8") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

const plain = "[domain-name:value = 'mirror-1.example']"

// TestCheckingAllocatesNothing: an office that checks many patterns leaves nothing behind.
func TestCheckingAllocatesNothing(t *testing.T) {
	texts := []string{plain, "([a:b = 1]) REPEATS 2 TIMES WITHIN 0.5 SECONDS START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'"}
	for _, shape := range shapes {
		if text := shape(50); pattern.Check(text) == nil {
			texts = append(texts, text)
		}
	}
	texts = append(texts,
		"[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv6-addr:value NOT ISSUPERSET '2001:db8::1/64']",
		`[file:'it\'s'.x = b'ABI=' OR file:hashes.'SHA-1' IN ('46aba99aa7158e4609aaa72b50990842fd22ae86')]`)
	for _, text := range texts {
		if n := testing.AllocsPerRun(20, func() { pattern.Check(text) }); n != 0 {
			t.Errorf("%.60q: %v allocations", text, n)
		}
	}
}

// TestAPlainPatternTakesFewAllocations: one is the whole tree, the other its builder.
func TestAPlainPatternTakesFewAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(20, func() { pattern.Parse(plain) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// TestALongPatternTakesFewAllocations: nodes share slabs, however many there are.
func TestALongPatternTakesFewAllocations(t *testing.T) {
	for _, name := range []string{"comparisons OR", "comparisons mixed", "observations AND", "observations mixed", "set", "path"} {
		short, long := shapes[name](1000), shapes[name](8000)
		few := testing.AllocsPerRun(3, func() { pattern.Parse(short) })
		more := testing.AllocsPerRun(3, func() { pattern.Parse(long) })
		if more > few+30 {
			t.Errorf("%s: %v allocations, and %v for eight times as many parts", name, few, more)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	benchmark(b, func(text string) error { return pattern.Check(text) })
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(text string) error { _, err := pattern.Parse(text); return err })
}

func benchmark(b *testing.B, run func(string) error) {
	for name, text := range map[string]string{
		"plain":       plain,
		"hash":        "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
		"thousand OR": shapes["comparisons OR"](1000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := run(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
