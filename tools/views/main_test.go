package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/stix"
)

// A table that was changed without `go generate ./stix` fails here.
func TestGeneratedFilesAreWhatTheTablesSayNow(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := generate(filepath.Join(root, "stix"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is stale at line %d: run go generate ./stix", path, firstDifference(got, want))
		}
	}
	left, err := filepath.Glob(filepath.Join(root, "stix", "views_*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if name := "stix/" + filepath.Base(path); files[name] == nil {
			t.Errorf("%s is no longer written: remove it", name)
		}
	}
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return bytes.Count(a[:n], []byte("\n")) + 1
}

func TestTheSameTablesGiveTheSameBytes(t *testing.T) {
	dir := filepath.Join("..", "..", "stix")
	first, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	for path := range first {
		if !bytes.Equal(first[path], second[path]) {
			t.Errorf("%s differs from run to run", path)
		}
	}
}

func TestNamesAreWrittenAsGoDoes(t *testing.T) {
	for name, want := range map[string]string{
		"ipv4-addr": "IPv4Addr", "x509-certificate": "X509Certificate", "windows-pebinary-ext": "WindowsPEBinaryExt",
		"http-request-ext": "HTTPRequestExt", "url": "URL", "email-mime-part-type": "EmailMIMEPart", "mac-addr": "MACAddr",
	} {
		if got := typeName(stix.TypeNamed(name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"external_id": "ExternalID", "number_of_rva_and_sizes": "NumberOfRVAAndSizes", "to_refs": "ToRefs"} {
		if got := goName(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// Object.Version is the version of the object; software has a version of its own.
func TestAPropertyNeverHidesAMethodOfTheObject(t *testing.T) {
	n, err := readNames(filepath.Join("..", "..", "stix"))
	if err != nil {
		t.Fatal(err)
	}
	software := stix.TypeNamed("software")
	if got := n.method(software, software.Property("version")); got != "VersionProperty" {
		t.Errorf("software.version is read by %s", got)
	}
	for typ := range viewed(n) {
		seen := map[string]string{}
		for _, p := range own(typ) {
			name := n.method(typ, &p)
			if n.methods[base(typ.Category)][name] {
				t.Errorf("%s of %s hides a method of what it embeds", name, typ.Name)
			}
			if other := seen[name]; other != "" {
				t.Errorf("%s and %s of %s are both %s", other, p.Name, typ.Name, name)
			}
			seen[name] = p.Name
		}
	}
}

func TestEveryCodeIsOnThePageOfFindings(t *testing.T) {
	page := string(findingsPage())
	for e := range stix.Catalogue() {
		if n := strings.Count(page, "| `"+e.Code+"` |"); n != 1 {
			t.Errorf("%s is there %d times", e.Code, n)
		}
	}
}
