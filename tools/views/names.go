package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"github.com/liaison-office/liaison/stix"
)

// words that Go writes in another way than with one capital letter.
var words = map[string]string{
	"aslr": "ASLR", "atime": "ATime", "bcc": "BCC", "cc": "CC", "cpe": "CPE", "crl": "CRL", "ctime": "CTime", "cwd": "CWD",
	"dep": "DEP", "dll": "DLL", "exif": "EXIF", "gid": "GID", "http": "HTTP", "icmp": "ICMP", "id": "ID", "ipfix": "IPFIX",
	"ipv4": "IPv4", "ipv6": "IPv6", "mac": "MAC", "mime": "MIME", "mtime": "MTime", "ntfs": "NTFS", "os": "OS", "pdf": "PDF",
	"pdfid0": "PDFID0", "pdfid1": "PDFID1", "pe": "PE", "pebinary": "PEBinary", "pid": "PID", "rir": "RIR", "rva": "RVA",
	"sco": "SCO", "sid": "SID", "swid": "SWID", "tcp": "TCP", "url": "URL", "vm": "VM",
}

// goName writes a name of the specification as Go does: pattern_type is PatternType.
func goName(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '-' }) {
		if special, ok := words[word]; ok {
			b.WriteString(special)
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Names are what the source of package stix declares itself. They are read from the source
// and not from the compiled package, which has the views of the last run too.
type names struct {
	types   map[string]bool
	methods map[string]map[string]bool // by type
}

func readNames(dir string) (names, error) {
	n := names{types: map[string]bool{}, methods: map[string]map[string]bool{"Object": {}, "PartView": {}}}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return n, err
	}
	for _, path := range paths {
		if isGenerated(path) || strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return n, err
		}
		for _, d := range file.Decls {
			n.note(d)
		}
	}
	if len(n.methods["Object"]) == 0 {
		return n, fmt.Errorf("no methods of Object in %s", dir)
	}
	return n, nil
}

func (n names) note(d ast.Decl) {
	switch d := d.(type) {
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if t, ok := s.(*ast.TypeSpec); ok {
				n.types[t.Name.Name] = true
			}
		}
	case *ast.FuncDecl:
		if d.Recv == nil {
			return
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if of, ok := receiver.(*ast.Ident); ok && n.methods[of.Name] != nil {
			n.methods[of.Name][d.Name.Name] = true
		}
	}
}

// base returns the type that the views of a category embed.
func base(c stix.Category) string {
	if c == stix.Part {
		return "PartView"
	}
	return "Object"
}

// typeName returns the name of the view of a type. The word type at its end says nothing.
func typeName(t *stix.Type) string { return goName(strings.TrimSuffix(t.Name, "-type")) }

// method returns the name of the method for a property of a type's own. One that what the
// view embeds has already, such as Version, gets another.
func (n names) method(t *stix.Type, p *stix.Property) string {
	name := goName(p.Name)
	if embedded := base(t.Category); n.methods[embedded][name] || name == embedded {
		return name + "Property"
	}
	return name
}

// served are common properties that Object has under another name.
var served = map[string]string{"object_marking_refs": "MarkingRefs", "granular_markings": "Granular"}

// common returns the method of Object for a common property, and whether it is there already.
func (n names) common(p *stix.Property) (name string, there bool) {
	if name, ok := served[p.Name]; ok {
		return name, true
	}
	name = goName(p.Name)
	return name, n.methods["Object"][name]
}

// isExtension tells predefined extensions from sub-types: theirs are the names in -ext
// (STIX 2.1 §11.3).
func isExtension(t *stix.Type) bool {
	return t.Category == stix.Part && strings.HasSuffix(t.Name, "-ext")
}
