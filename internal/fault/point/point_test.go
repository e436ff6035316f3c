package point_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/fault/point"
)

// TestEveryPointIsInOnePlace compares the calls of At in the module with All.
func TestEveryPointIsInOnePlace(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	var placed []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if name, ok := pointOf(n); ok {
				placed = append(placed, name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(placed)
	listed := slices.Sorted(slices.Values(point.All))
	if !slices.Equal(placed, listed) {
		t.Errorf("All lists\n%q\nand the program passes\n%q", listed, placed)
	}
}

// pointOf returns the name in a call point.At("name").
func pointOf(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fn.Sel.Name != "At" {
		return "", false
	}
	if pkg, ok := fn.X.(*ast.Ident); !ok || pkg.Name != "point" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "(computed)", true
	}
	name, err := strconv.Unquote(lit.Value)
	return name, err == nil
}
