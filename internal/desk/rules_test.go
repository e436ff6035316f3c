package desk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryRuleIsInTheFormats: evidence is signed and kept, so whoever reads it
// finds the name of its rule in docs/formats.md; and no other name stands there.
func TestEveryRuleIsInTheFormats(t *testing.T) {
	doc, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\nThe rules. ")
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for _, m := range regexp.MustCompile("`([a-z.-]+)`").FindAllStringSubmatch(section, -1) {
		if m[1] != "accepted" {
			documented = append(documented, m[1])
		}
	}
	used := slices.Concat(ruleNames(t, ".", rulesOfCalls), ruleNames(t, "../release", rulesOfConstants))
	if len(used) < 30 {
		t.Errorf("the code has %d rules only: %v", len(used), used)
	}
	for _, name := range used {
		if !slices.Contains(documented, name) {
			t.Errorf("docs/formats.md does not list the rule %s", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(used, name) {
			t.Errorf("docs/formats.md lists the rule %s, which no code has", name)
		}
	}
}

// ruleNames collects what find finds in the files of a package.
func ruleNames(t *testing.T, dir string, find func(ast.Node) ast.Expr) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := find(n).(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				names = append(names, s)
			}
			return true
		})
	}
	return names
}

// rulesOfCalls: refuse("rule", …), hold and wait.
func rulesOfCalls(n ast.Node) ast.Expr {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) < 2 {
		return nil
	}
	if f, ok := call.Fun.(*ast.Ident); ok && slices.Contains([]string{"refuse", "hold", "wait"}, f.Name) {
		return call.Args[0]
	}
	return nil
}

// rulesOfConstants: RuleX Rule = "rule".
func rulesOfConstants(n ast.Node) ast.Expr {
	spec, ok := n.(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return nil
	}
	if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Rule" {
		return spec.Values[0]
	}
	return nil
}
