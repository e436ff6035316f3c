package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liaison-office/liaison/internal/journal"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/ncruces/go-sqlite3"
)

func anchorPath(o *office) string {
	return filepath.Join(o.dir, coll.String()+".1")
}

func replaceAnchor(t *testing.T, o *office, b []byte) {
	t.Helper()
	if b == nil {
		must(t, os.Remove(anchorPath(o)))
		return
	}
	must(t, os.WriteFile(anchorPath(o), b, 0o600))
}

func removeStore(t *testing.T, o *office) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, "liaison.db*"))
	must(t, err)
	for _, f := range files {
		must(t, os.Remove(f))
	}
}

// tamper changes rows of the closed store's file.
func tamper(t *testing.T, o *office, sql string) {
	t.Helper()
	db, err := sqlite3.Open(filepath.Join(o.dir, "liaison.db"))
	must(t, err)
	must(t, db.Exec(sql))
	if db.Changes() == 0 {
		t.Fatalf("%s changed nothing", sql)
	}
	must(t, db.Close())
}

// flipText changes a text within a column at index 2.
func flipText(table, column, from, to string) string {
	return fmt.Sprintf(`UPDATE %s SET %s = CAST(replace(CAST(%[2]s AS TEXT), '%s', '%s') AS BLOB) WHERE key & 0xffffffffff = 2`, table, column, from, to)
}

// flipBinary changes the last byte of a column at index 2.
func flipBinary(table, column string) string {
	return fmt.Sprintf(`UPDATE %s SET %s = CAST(substr(%[2]s, 1, length(%[2]s)-1) || CASE substr(%[2]s, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) WHERE key & 0xffffffffff = 2`, table, column)
}

func fiveNotes(t *testing.T) (items []journal.Item) {
	for i := range 5 {
		items = append(items, item(note(t, fmt.Sprint(i), alice, 1, ""), alice))
	}
	return items
}

func TestFsckNamesWhatWasChangedInTheDatabase(t *testing.T) {
	id := note(t, "2", alice, 1, "").ID()
	cases := map[string]struct{ sql, want string }{
		"an object":         {flipText("objects", "bytes", "content", "c0ntent"), fmt.Sprintf("index 2: the object %q is not the one the act commits to", id)},
		"an object missing": {`UPDATE objects SET bytes = NULL WHERE key & 0xffffffffff = 2`, fmt.Sprintf("index 2: the object %q is missing", id)},
		"a leaf":            {flipText("leaves", "leaf", "object", "again"), "index 2: the leaf says again"},
		"a leaf's act":      {flipBinary("leaves", "acthash"), "index 2: the leaf names act"},
		"an act":            {flipText("leaves", "act", "GREEN", "CLEAR"), "index 2: the act does not have the hash the leaf names"},
		"a salt":            {flipBinary("leaves", "salt"), "index 2: the object"},
		"a batch":           {flipText("leaves", "batch", `"size":5`, `"size":4`), "index 2: the batch proof does not hold"},
		"a hash":            {flipBinary("trees", "hashes"), "index 2: the stored hash of level 0 is not that of the leaves"},
		"a cut log":         {`DELETE FROM objects WHERE key & 0xffffffffff = 4; DELETE FROM leaves WHERE key & 0xffffffffff = 4; DELETE FROM trees WHERE key & 0xffffffffff = 4`, "the log holds 4"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			o.append(t, coll, fiveNotes(t)...)
			must(t, o.View(context.Background(), func(v store.View) error {
				_, err := o.Checkpoint(context.Background(), v, coll, 0)
				return err
			}))
			o.healthy(t)
			o.stop()
			tamper(t, o, c.sql)
			again := open(t, o.dir, o.Office, nil)
			o.stop = again.stop
			r, err := again.Check(context.Background())
			must(t, err)
			if all := strings.Join(r.Problems, "\n"); !strings.Contains(all, c.want) || !strings.Contains(all, coll.String()) {
				t.Errorf("want %q, got:\n%s", c.want, all)
			}
		})
	}
}

// TestACheckpointIsSignedOnlyAfterTheTreeWasReadBack: what was changed in the
// store since the last one is found before anything is signed.
func TestACheckpointIsSignedOnlyAfterTheTreeWasReadBack(t *testing.T) {
	for _, sql := range []string{flipText("leaves", "leaf", "object", "again"), flipBinary("trees", "hashes")} {
		o := start(t)
		o.append(t, coll, fiveNotes(t)...)
		o.stop()
		tamper(t, o, sql)
		again := open(t, o.dir, o.Office, nil)
		o.stop = again.stop
		err := again.View(context.Background(), func(v store.View) error {
			_, err := again.Checkpoint(context.Background(), v, coll, 0)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "index 2") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestALostStoreIsNamedByFsck(t *testing.T) {
	o := start(t)
	o.append(t, coll, fiveNotes(t)...)
	o.stop()
	must(t, os.Remove(anchorPath(o)))
	again := open(t, o.dir, o.Office, nil)
	o.stop = again.stop
	r, err := again.Check(context.Background())
	must(t, err)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "is missing") {
		t.Errorf("%v", r.Problems)
	}
	if r.Collections != 1 || r.Entries != 5 {
		t.Errorf("%+v", r)
	}
}
