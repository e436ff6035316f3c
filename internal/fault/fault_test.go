package fault_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/liaison-office/liaison/internal/fault"
)

// tool is the program of package tools/faults, built once with its tag.
var tool = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "faults")
	cmd := exec.Command("go", "build", "-tags", "faults", "-o", path, "../../tools/faults")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// programs is the folder of what was built.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "liaison-faults-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

// run runs one fault a few times and returns what came of it. A promise that
// was broken is an error of the test.
func run(t *testing.T, name string, args ...string) *fault.Result {
	t.Helper()
	r := runBroken(t, name, args...)
	if r.Broken() {
		t.Error(r)
	}
	t.Log(r)
	return r
}

// runBroken is run without looking whether promises were kept.
func runBroken(t *testing.T, name string, args ...string) *fault.Result {
	t.Helper()
	return runAll(t, []string{name}, args...)[0]
}

// runAll is runBroken for several faults.
func runAll(t *testing.T, names []string, args ...string) []*fault.Result {
	t.Helper()
	path, err := tool()
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, append([]string{"--json", "--only", strings.Join(names, ","), "--seed", "20261123", "--dir", t.TempDir()}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	status := cmd.Run()
	var results []*fault.Result
	if err := json.Unmarshal(out.Bytes(), &results); err != nil || len(results) != len(names) {
		t.Fatalf("%v, %v:\n%s%s", status, err, &out, &said)
	}
	return results
}

func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	if r := run(t, "kill", "--count", "kill=8"); r.Count != 8 || r.Acknowledged == 0 || r.Receipts == 0 {
		t.Errorf("the campaign shows nothing: %v", r)
	}
}

func TestNothingAcknowledgedIsLostAtNamedPoints(t *testing.T) {
	if r := run(t, "points"); r.Count < 25 || r.Acknowledged == 0 {
		t.Errorf("the campaign shows nothing: %v", r)
	}
}

// mounts says that a fault needs a file system of its own, which no package can
// install where the machine allows none.
func mounts(fault string) bool {
	return strings.HasPrefix(fault, "power-cut") || fault == "disk-full"
}

// TestNoFaultLosesWhatWasAcknowledged makes each other fault a few times.
func TestNoFaultLosesWhatWasAcknowledged(t *testing.T) {
	for name, count := range map[string]int{
		"nth-door": 3, "nth-relay": 2, "nth-control": 2, "nth-erase": 2, "disk-full": 1, "bit-flip": 1, "power-cut": 3, "power-cut-unsynced": 3,
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, name, "--count", fmt.Sprintf("%s=%d", name, count))
			if r.NotRun != "" && (mounts(name) || os.Getenv("CI") != "true") {
				t.Skip(r.NotRun)
			}
			if r.NotRun != "" || r.Count == 0 {
				t.Errorf("the campaign shows nothing: %v", r)
			}
		})
	}
}
