package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/demo"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/taxii"
)

const objectsPath = taxii.RootPath + "collections/" + demo.SampleCollection + "/objects/"

// raw runs the raw store and returns its inserts and selects per second.
func (o *options) raw(ctx context.Context, dir string) (inserts, selects float64, err error) {
	cmd, err := child(ctx, "--role=raw", "--dir="+dir, fmt.Sprintf("--objects=%d", o.Objects),
		fmt.Sprintf("--size=%d", o.Size), fmt.Sprintf("--seconds=%d", o.Seconds))
	if err != nil {
		return 0, 0, err
	}
	cmd.Stdout = nil
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(out), &inserts, &selects)
	return inserts, selects, err
}

// posts measures durable POST: envelopes of 100, validated, in the ledger,
// acknowledged after fsync.
func (o *options) posts(ctx context.Context, dir string) error {
	rawDir, officeDir := filepath.Join(dir, "raw"), filepath.Join(dir, "office")
	if err := os.Mkdir(rawDir, 0o700); err != nil {
		return err
	}
	inserts, _, err := o.raw(ctx, rawDir)
	if err != nil {
		return fmt.Errorf("raw store: %w", err)
	}
	if err := demo.Prepare(ctx, officeDir, office.Config{Exchange: "127.0.0.1:0", Relay: "127.0.0.1:0"}); err != nil {
		return err
	}
	s, err := startServer(ctx, "--role=office", "--dir="+officeDir)
	if err != nil {
		return err
	}
	defer s.stop()
	before := s.cpu()
	rate, err := o.post(ctx, s.address)
	if err != nil {
		return err
	}
	used := s.cpu() - before
	row("POST, envelopes of 100, durable", "obj/s", rate, inserts,
		fmt.Sprintf("%.1f µs an object", float64(used.Microseconds())/float64(o.Objects)))
	return nil
}

func (o *options) post(ctx context.Context, address string) (float64, error) {
	var bodies [][]byte
	for i := 0; i < o.Objects; i += 100 {
		bodies = append(bodies, envelope(i, min(100, o.Objects-i), o.Size))
	}
	client := newClient(o.Connections)
	if err := request(ctx, client, http.MethodGet, "http://"+address+objectsPath+"?limit=1", nil, io.Discard); err != nil {
		return 0, err // the password is checked once before the clock starts
	}
	answers := make([]bytes.Buffer, len(bodies))
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, o.Connections)
	begin := time.Now()
	for range o.Connections {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				if err := request(ctx, client, http.MethodPost, "http://"+address+objectsPath, bodies[i], &answers[i]); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	close(errs)
	if err := <-errs; err != nil {
		return 0, err
	}
	return float64(o.Objects) / took.Seconds(), o.checkAnswers(answers)
}

// checkAnswers checks, when the clock has stopped, that no object was refused: that
// would have been counted as fast.
func (o *options) checkAnswers(answers []bytes.Buffer) error {
	total := 0
	for i := range answers {
		var s taxii.Status
		if err := json.Unmarshal(answers[i].Bytes(), &s); err != nil {
			return fmt.Errorf("status %d: %w", i, err)
		}
		total += s.SuccessCount
	}
	if total != o.Objects {
		return fmt.Errorf("%d of %d objects were accepted", total, o.Objects)
	}
	return nil
}

// pages measures pages of 1000 objects at spread offsets.
func (o *options) pages(ctx context.Context, dir string) error {
	_, selects, err := o.again(ctx, dir)
	if err != nil {
		return err
	}
	s, err := startServer(ctx, "--role=office", "--dir="+filepath.Join(dir, "office"))
	if err != nil {
		return err
	}
	defer s.stop()
	urls, body, err := o.pageURLs(ctx, s.address)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "page.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return err
	}
	memory, err := startServer(ctx, "--role=memory", "--file="+file)
	if err != nil {
		return err
	}
	defer memory.stop()
	for _, connections := range []int{1, 16} {
		limit, _, err := o.read(ctx, memory, []string{"http://" + memory.address + "/"}, connections)
		if err != nil {
			return err
		}
		ours, cpu, err := o.read(ctx, s, urls, connections)
		if err != nil {
			return err
		}
		row(fmt.Sprintf("page of 1000 (%d KB), %d conn", len(body)>>10, connections), "req/s", ours, limit, fmt.Sprintf("%.2f ms a page", cpu))
		if connections == 1 {
			row("  the same beside a bare SELECT", "req/s", ours, selects, "")
		}
	}
	empty := []string{"http://" + s.address + objectsPath + "?added_after=2999-01-01T00:00:00.000000Z"}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		return err
	}
	nothing, err := startServer(ctx, "--role=memory", "--file="+file)
	if err != nil {
		return err
	}
	defer nothing.stop()
	limit, _, err := o.read(ctx, nothing, []string{"http://" + nothing.address + "/"}, 4)
	if err != nil {
		return err
	}
	ours, cpu, err := o.read(ctx, s, empty, 4)
	if err != nil {
		return err
	}
	row("poll with nothing new, 4 conn", "req/s", ours, limit, fmt.Sprintf("%.3f ms a poll; the office has %d MB of memory", cpu, rss(s.cmd.Process.Pid)))
	return nil
}

// again makes the raw store once more for reading.
func (o *options) again(ctx context.Context, dir string) (inserts, selects float64, err error) {
	d := filepath.Join(dir, "raw-again")
	if err := os.Mkdir(d, 0o700); err != nil {
		return 0, 0, err
	}
	return o.raw(ctx, d)
}

// pageURLs walks the collection and returns the address of every page, by the
// date before it, and the bytes of a full one.
func (o *options) pageURLs(ctx context.Context, address string) (urls []string, page []byte, err error) {
	client := newClient(1)
	base := "http://" + address + objectsPath + "?limit=1000"
	for next := base; next != ""; {
		var b bytes.Buffer
		header, err := fetch(ctx, client, http.MethodGet, next, nil, &b)
		if err != nil {
			return nil, nil, err
		}
		last := header.Get("X-TAXII-Date-Added-Last")
		if last == "" {
			break
		}
		urls = append(urls, next)
		if page == nil {
			page = b.Bytes()
		}
		next = base + "&added_after=" + last
	}
	return urls[:max(1, len(urls)-1)], page, nil // the last may be short
}

// read asks for the addresses in turn and returns requests per second and the
// server's CPU milliseconds for each.
func (o *options) read(ctx context.Context, s *server, urls []string, connections int) (rate, cpu float64, err error) {
	client := newClient(connections)
	if err := request(ctx, client, http.MethodGet, urls[0], nil, io.Discard); err != nil {
		return 0, 0, err
	}
	var count atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	before, begin := s.cpu(), time.Now()
	for range connections {
		wg.Go(func() {
			for time.Since(begin) < time.Duration(o.Seconds)*time.Second {
				n := int(count.Add(1))
				if err := request(ctx, client, http.MethodGet, urls[n*7919%len(urls)], nil, io.Discard); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	used, n := s.cpu()-before, float64(count.Load())
	return n / time.Since(begin).Seconds(), used.Seconds() * 1000 / n, <-errs
}

func newClient(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true}}
}

func request(ctx context.Context, c *http.Client, method, url string, body []byte, into io.Writer) error {
	_, err := fetch(ctx, c, method, url, body, into)
	return err
}

func fetch(ctx context.Context, c *http.Client, method, url string, body []byte, into io.Writer) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(demo.SampleAccount, demo.SamplePassword)
	req.Header.Set("Accept", taxii.MediaType)
	req.Header.Set("Content-Type", taxii.MediaType)
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(into, resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return resp.Header, nil
}
