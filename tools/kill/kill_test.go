package main

import (
	"context"
	"os"
	"testing"
)

// serving tells the test binary, started again, to be the office that is
// killed.
const serving = "LIAISON_KILL_TEST_SERVES"

func TestMain(m *testing.M) {
	if os.Getenv(serving) != "" {
		if err := serve(context.Background(), os.Args[len(os.Args)-1]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(serving, "1")
	o := &options{Kills: 8, Writers: 3, Objects: 5, Seed: 20261123, Oracle: t.TempDir()}
	r, err := campaign(t.Context(), o, []string{self})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	if err := r.err(); err != nil {
		t.Error(err)
	}
	if r.acknowledged == 0 {
		t.Error("nothing was acknowledged: the campaign shows nothing")
	}
}
