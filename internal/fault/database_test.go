package fault_test

import (
	"os"
	"testing"

	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
)

// Each strikes once or a few times; make faults makes all of them, and more often.
func TestAnOfficeOutlivesWhatHappensToItsDatabase(t *testing.T) {
	pgtest.Fast(t) // or skip
	names := []string{"postgres-kill", "postgres-failover", "postgres-office", "postgres-page", "postgres-full"}
	for _, r := range runAll(t, names, "--count", "postgres-kill=2;postgres-office=2;postgres-page=6;postgres-full=1") {
		switch t.Log(r); {
		case r.Broken():
			t.Error(r)
		case r.NotRun != "" && os.Getenv("CI") == "true":
			t.Error(r)
		case r.NotRun != "": // only root mounts a small disk
		case r.Count == 0 || r.Acknowledged == 0 || r.Receipts == 0:
			t.Errorf("the campaign shows nothing: %v", r)
		}
	}
}
