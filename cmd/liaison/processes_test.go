package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
	"github.com/liaison-office/liaison/internal/relay"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestAnOfficeOfThreeProcesses: real ones, which share a database and keep their
// checkpoints in one of another server.
func TestAnOfficeOfThreeProcesses(t *testing.T) {
	config := pgserver.Config{Durable: true}
	server := pgtest.New(t, config)
	database := func(ts *testscript.TestScript, neg bool, args []string) { // database stop|start
		if args[0] == "stop" {
			server.Stop()
			return
		}
		ts.Check(server.Start(t.Context()))
	}
	env := map[string]string{
		"STORE":  pgtest.Database(t, server),
		"ANCHOR": pgtest.Database(t, pgtest.New(t, config)),
	}
	onDatabases(t, "processes.txtar", env, map[string]func(*testscript.TestScript, bool, []string){
		"copydir": copyDir, "free": free, "leader": leader, "crash": crash, "brings": brings, "database": database, "until": until, "change": change, "take": take, "serve": serve,
	})
}

// TestADatabaseThatWillNotDoIsSaidSoInOneSentence, and its password never is.
func TestADatabaseThatWillNotDoIsSaidSoInOneSentence(t *testing.T) {
	server := pgtest.New(t, pgserver.Config{Durable: true, TCP: true})
	standby := pgtest.Standby(t, server, pgserver.Config{Durable: true})
	away := pgtest.New(t, pgserver.Config{TCP: true})
	away.Stop()
	at, theirs := parsed(t, server.URL()), pgtest.Database(t, server)
	name, taken := parsed(t, theirs).Query().Get("dbname"), pgtest.Schema(t, server)
	pgtest.Run(t, server,
		"CREATE ROLE reader LOGIN PASSWORD 'verysecret'", "GRANT CONNECT ON DATABASE "+name+" TO reader",
		"CREATE TABLE "+parsed(t, taken).Query().Get("search_path")+".accounts (n int)")
	secret, _ := at.User.Password()
	as := func(user, password, database string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s", user, password, at.Host, database)
	}
	onDatabases(t, "databases.txtar", map[string]string{
		"PASSWORD": as(name, "notthesecret", name),
		"NOBODY":   as("nobody", "verysecret", name),
		"RIGHTS":   as("reader", "verysecret", name),
		"NONE":     as(name, secret, "nothing"),
		"AWAY":     away.URL(),
		"TAKEN":    taken,
		"STANDBY":  standby.URL(),
		"SETTINGS": fmt.Sprintf("host=%s port=%s user=%s password=%s dbname=%s", at.Hostname(), at.Port(), name, secret, name),
		"SECRET":   secret,
		"SAME":     theirs,
		"EMPTY":    pgtest.Database(t, server),
		"ANCHOR":   pgtest.Database(t, pgtest.New(t, pgserver.Config{Durable: true})),
	}, map[string]func(*testscript.TestScript, bool, []string){"change": change, "copydir": copyDir})
}

func parsed(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// onDatabases runs a script whose variables name databases.
func onDatabases(t *testing.T, script string, env map[string]string, cmds map[string]func(*testscript.TestScript, bool, []string)) {
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("testdata", script)},
		Setup: func(e *testscript.Env) error {
			e.Setenv("LIAISON_PASSWORD", "sample-password")
			e.Setenv("SEED1", filepath.Join("authority", "authority-1.seed=alliance.example.org/authority/1"))
			e.Setenv("SEED2", filepath.Join("authority", "authority-2.seed=alliance.example.org/authority/2"))
			for name, value := range env {
				e.Setenv(name, value)
			}
			e.Values[servingKey{}] = new(serving)
			return nil
		},
		Cmds: cmds,
	})
}

// copyDir copies an office's folder for another process: copydir FROM TO.
func copyDir(ts *testscript.TestScript, neg bool, args []string) {
	to := ts.MkAbs(args[1])
	ts.Check(os.CopyFS(to, os.DirFS(ts.MkAbs(args[0]))))
	keys, err := filepath.Glob(filepath.Join(to, "keys", "*"))
	ts.Check(err)
	for _, key := range keys {
		ts.Check(os.Chmod(key, 0o600)) // as it was
	}
}

// free sets a variable to an address that nobody listens on: free NAME.
func free(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// leader waits until one of the processes has a stream with a neighbour, and sets
// LEADER to its folder and OTHER to that of another: leader DIR ….
func leader(ts *testscript.TestScript, neg bool, args []string) {
	begin := time.Now()
	for ; time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		for i, dir := range args {
			if !connected(ts, dir) {
				continue
			}
			ts.Setenv("LEADER", dir)
			ts.Setenv("OTHER", args[(i+1)%len(args)])
			ts.Setenv("OTHER_URL", ts.Getenv("URL_"+args[(i+1)%len(args)]))
			ts.Logf("%s leads after %s", dir, time.Since(begin).Round(time.Millisecond))
			return
		}
	}
	ts.Fatalf("none of %v has a neighbour after %s", args, patience)
}

func connected(ts *testscript.TestScript, dir string) bool {
	out, err := exec.Command(lookPath(ts, "liaison"), "--dir", ts.MkAbs(dir), "--json", "peer", "list").Output()
	var list []relay.PeerStatus
	if err != nil || json.Unmarshal(out, &list) != nil {
		ts.Fatalf("%s: peer list: %v\n%s", dir, err, out)
	}
	return len(list) == 1 && list[0].Connected != 0
}

// brings repeats a command until it prints a text: brings TEXT liaison ….
func brings(ts *testscript.TestScript, neg bool, args []string) {
	begin := time.Now()
	for ; time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command(lookPath(ts, args[1]), args[2:]...)
		cmd.Env = append(os.Environ(), "LIAISON_PASSWORD="+ts.Getenv("LIAISON_PASSWORD"))
		if out, err := cmd.Output(); err == nil && strings.Contains(string(out), args[0]) {
			ts.Logf("after %s", time.Since(begin).Round(time.Millisecond))
			return
		}
	}
	ts.Fatalf("%v did not print %s in %s", args[1:], args[0], patience)
}

// crash is kill -9 of the office that serves from a folder: crash DIR.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	cmd := ts.Value(servingKey{}).(*serving).running[args[0]]
	ts.Check(cmd.Process.Kill())
	cmd.Wait()
}
