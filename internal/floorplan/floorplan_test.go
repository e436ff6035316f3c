package floorplan

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const module = "github.com/liaison-office/liaison"

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// packages asks the go command for every package of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for dec := jsontext.NewDecoder(strings.NewReader(string(out))); dec.PeekKind() == '{'; {
		var p pkg
		if err := json.UnmarshalDecode(dec, &p, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func below(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func TestFloorPlanHolds(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		name, _ := below(p.ImportPath)
		seen[name] = true
		allowed, known := Rooms[name]
		if !known {
			t.Errorf("package %q is not in the floor plan", name)
			continue
		}
		for _, i := range p.Imports {
			if other, ours := below(i); ours {
				checkImport(t, name, other, allowed)
			}
		}
	}
	for name := range Rooms {
		if !seen[name] {
			t.Errorf("the floor plan names %q, which is no package", name)
		}
	}
}

func checkImport(t *testing.T, name, other string, allowed []string) {
	t.Helper()
	if !slices.Contains(allowed, Anything) && !slices.Contains(allowed, other) {
		t.Errorf("%q imports %q, which its row does not allow", name, other)
	}
	if slices.Contains(Engines, other) && !slices.Contains(Assemblies, name) {
		t.Errorf("%q imports the engine %q; only the assembly opens engines", name, other)
	}
	if !strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "cmd/") && !strings.HasPrefix(name, "tools/") && strings.HasPrefix(other, "internal/") {
		t.Errorf("public package %q imports %q", name, other)
	}
	if strings.HasSuffix(other, "test") && !strings.HasSuffix(name, "test") {
		t.Errorf("%q imports test help %q outside its tests", name, other)
	}
}

// TestPackagesOpenWithAComment: a newcomer finds in every package what it is
// for, what always holds, and what it does not do.
func TestPackagesOpenWithAComment(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		doc := ""
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			doc += file.Doc.Text()
		}
		if len(doc) < 150 {
			t.Errorf("package %s: its opening comment says too little (%d bytes)", p.ImportPath, len(doc))
		}
		for _, part := range []string{"does not", "nothing"} {
			if strings.Contains(strings.ToLower(doc), part) {
				doc = ""
				break
			}
		}
		if doc != "" {
			t.Errorf("package %s: its opening comment does not say what it does not do", p.ImportPath)
		}
	}
}
