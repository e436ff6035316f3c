package pgserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/liaison-office/liaison/internal/pgserver"
	"github.com/liaison-office/liaison/internal/pgserver/pgtest"
)

// abandoned makes the process of the tests one that starts a server, says where,
// and waits to be killed.
const abandoned = "LIAISON_PGSERVER_ABANDONED"

func TestMain(m *testing.M) {
	if os.Getenv(abandoned) == "" {
		os.Exit(m.Run())
	}
	s, err := pgserver.New(context.Background(), pgserver.Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Folder())
	select {}
}

func TestAServerDoesNotOutliveAProcessThatIsKilled(t *testing.T) {
	pgtest.Fast(t) // or skip
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), abandoned+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	folder, err := bufio.NewReader(out).ReadString('\n')
	folder = strings.TrimSpace(folder)
	if _, e := os.Stat(folder + "/data"); e != nil {
		t.Fatalf("%q: %v, %v", folder, err, e)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for range 3000 {
		if _, err = os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond) // there is nothing to wait on
	}
	t.Fatalf("%s is still there: %v", folder, err)
}

func TestCloseLeavesNothing(t *testing.T) {
	s := pgtest.New(t, pgserver.Config{})
	s.Kill()
	s.Close()
	if _, err := os.Stat(s.Folder()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	s.Close()
}

func TestAKilledServerStartsAgainWithItsData(t *testing.T) {
	s := pgtest.New(t, pgserver.Config{Checksums: true})
	pgtest.Run(t, s, "CREATE TABLE kept AS SELECT 7 AS n")
	for range 2 {
		s.Kill()
		pgtest.Start(t, s)
		pgtest.Until(t, s, "SELECT n = 7 AND current_setting('data_checksums') = 'on' FROM kept")
	}
	s.Stop()
	pgtest.Start(t, s)
	pgtest.Until(t, s, "SELECT n = 7 FROM kept")
}

func TestTheLoopbackAsksForAPassword(t *testing.T) {
	s := pgtest.New(t, pgserver.Config{TCP: true})
	connect := func(u string) error {
		c, err := pgx.Connect(t.Context(), u)
		if err == nil {
			c.Close(t.Context())
		}
		return err
	}
	for _, u := range []string{s.URL(), pgtest.Schema(t, s), pgtest.Database(t, s)} {
		if err := connect(u); err != nil {
			t.Error(err)
		}
	}
	wrong, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword(pgserver.User, "wrong")
	if err := connect(wrong.String()); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Error(err)
	}
}

func TestAStandbyTakesOver(t *testing.T) {
	primary := pgtest.New(t, pgserver.Config{})
	standby := pgtest.Standby(t, primary, pgserver.Config{})
	if err := primary.Synchronous(t.Context()); err != nil {
		t.Fatal(err)
	}
	pgtest.Run(t, primary, "CREATE TABLE kept AS SELECT 7 AS n")
	primary.Kill()
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), pgserver.URL([]*pgserver.Server{primary, standby}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), "UPDATE kept SET n = n + 1"); err != nil {
		t.Error(err)
	}
}
