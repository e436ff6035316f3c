package office

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestABadCardIsSaidOnceAndAnOfficeIsListedOnce: the folder is read twice a
// second; what is wrong in it is logged when it changes.
func TestABadCardIsSaidOnceAndAnOfficeIsListedOnce(t *testing.T) {
	dir := t.TempDir()
	keys, err := NewKeys(filepath.Join(t.TempDir(), keysDir), "tokyo.example.org")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AddPeer(dir, keys.SignedCard("")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := &Office{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))}
	look := func(name, card string, lines int) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, peersDir, name), []byte(card), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if cards := o.cards(); len(cards) != 1 || cards[0].Office != "tokyo.example.org" {
				t.Errorf("%s: %d cards", name, len(cards))
			}
		}
		if got := strings.Count(log.String(), "\n"); got != lines {
			t.Errorf("%s: %d lines were logged, want %d\n%s", name, got, lines, log.String())
		}
	}
	look("junk.card", "junk", 1)
	look("copy.card", keys.SignedCard(""), 2)
	if !strings.Contains(log.String(), "copy.card is the card of tokyo.example.org, which belongs in tokyo.example.org.card") {
		t.Errorf("the log does not say what to do:\n%s", log.String())
	}
}
