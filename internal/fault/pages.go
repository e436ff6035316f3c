package fault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"
)

// pages says which pages of a database hold what.
type pages struct {
	size int64
	of   map[string][]int64 // by table; "free" those of the list of free pages
}

// pagesOf reads a database that was closed (SQLite file format §1.5, §1.6). What
// overflows a page is not listed.
func pagesOf(path string) (*pages, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &pages{size: int64(binary.BigEndian.Uint16(b[16:])), of: map[string][]int64{}}
	roots, err := rootsOf(path)
	if err != nil {
		return nil, err
	}
	for name, root := range roots {
		p.walk(b, name, root)
	}
	for trunk := int64(binary.BigEndian.Uint32(b[32:])); trunk != 0; {
		p.of["free"] = append(p.of["free"], trunk)
		page := b[(trunk-1)*p.size:]
		for i := range int(binary.BigEndian.Uint32(page[4:])) {
			p.of["free"] = append(p.of["free"], int64(binary.BigEndian.Uint32(page[8+4*i:])))
		}
		trunk = int64(binary.BigEndian.Uint32(page))
	}
	return p, nil
}

// walk lists a b-tree.
func (p *pages) walk(b []byte, name string, number int64) {
	p.of[name] = append(p.of[name], number)
	page := b[(number-1)*p.size : number*p.size]
	if page[0] != 2 && page[0] != 5 {
		return
	}
	for i := range int(binary.BigEndian.Uint16(page[3:])) {
		cell := binary.BigEndian.Uint16(page[12+2*i:])
		p.walk(b, name, int64(binary.BigEndian.Uint32(page[cell:])))
	}
	p.walk(b, name, int64(binary.BigEndian.Uint32(page[8:])))
}

// rootsOf asks SQLite where the b-trees of the tables begin.
func rootsOf(path string) (roots map[string]int64, err error) {
	db, err := sqlite3.OpenFlags("file:"+path+"?immutable=1", sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s, _, err := db.Prepare("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'")
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", path, err)
	}
	defer s.Close()
	roots = map[string]int64{}
	for s.Step() {
		roots[s.ColumnText(0)] = s.ColumnInt64(1)
	}
	return roots, s.Err()
}
