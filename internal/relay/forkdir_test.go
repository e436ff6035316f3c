package relay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// forkedWith lets tokyo rewrite its log before hq, which keeps evidence in a
// folder.
func forkedWith(t *testing.T, dir string) *rogue {
	t.Helper()
	g := newRogue(t)
	g.victim.tune = func(c *Config) { c.Forks = ForkDir(dir) }
	g.victim.restart()
	g.connect()
	g.serve(g.page(0, 3), g.page(4, 6))
	eventually(t, "hq notices", func() bool { return g.followed(community).Fork != nil })
	return g
}

// again restarts hq and lets tokyo go on honestly; hq has half a minute of the
// bubble's time, in which the rogue is not missed.
func (g *rogue) again(pages ...page) {
	g.t.Helper()
	g.victim.restart()
	g.connect()
	g.serve(pages...)
	time.Sleep(deadAfter * 2 / 3)
}

// TestAForkIsKnownAfterARestartUntilAnOperatorResumes: both checkpoints are on
// disk, the log is not followed, and once resumed it is, from where it stood.
func TestAForkIsKnownAfterARestartUntilAnOperatorResumes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "forks")
		g := forkedWith(t, dir)
		before := *g.followed(community).Fork
		g.again(g.page(3, 6))
		after := g.followed(community).Fork
		if after == nil || *after != before || after.Known == "" || after.Claimed == "" {
			t.Fatalf("after the restart: %+v, want %+v", after, before)
		}
		if n := g.followed(community).Size; n != 3 {
			t.Errorf("the status says that %d leaves were followed", n)
		}
		if n := g.victim.Size(t, community); n != 3 {
			t.Fatalf("hq followed to %d leaves", n)
		}
		if err := g.victim.relay.Resume(tokyo, charter); err == nil {
			t.Error("a log without a fork was resumed")
		}
		if err := g.victim.relay.Resume(tokyo, community); err != nil {
			t.Fatal(err)
		}
		eventually(t, "hq goes on", func() bool { return g.victim.Size(t, community) == 6 })
		g.again()
		if f := g.followed(community).Fork; f != nil {
			t.Errorf("resumed, and stopped again by %+v", f)
		}
		kept, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(kept) != 1 {
			t.Fatalf("evidence %v, %v: want the one file, put aside", kept, err)
		}
		if b, err := os.ReadFile(kept[0]); err != nil || !strings.Contains(string(b), string(Gap)) {
			t.Errorf("%q, %v", b, err)
		}
	})
}

// TestEvidenceThatCannotBeReadStopsFollowing: damage to the file does not
// resume a log.
func TestEvidenceThatCannotBeReadStopsFollowing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		dir := t.TempDir()
		g := forkedWith(t, dir)
		if err := os.Truncate(ForkDir(dir).path(tokyo, community), 20); err != nil {
			t.Fatal(err)
		}
		g.again(g.page(3, 6))
		if f := g.followed(community).Fork; f == nil || f.Reason != Unreadable || g.victim.Size(t, community) != 3 {
			t.Errorf("hq is at %d, fork %+v", g.victim.Size(t, community), f)
		}
	})
}
