package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison/internal/corpora"
	"github.com/liaison-office/liaison/stix"
)

// stixObjects is how many distinct objects are read again and again.
const stixObjects = 1000

// stix measures reading of STIX on one core, in a process of its own, beside a scan of
// the tokens of the same bytes.
func (o *options) stix(ctx context.Context) error {
	cmd, err := child(ctx, "--role=stix", fmt.Sprintf("--seconds=%d", o.Seconds), fmt.Sprintf("--size=%d", o.Size))
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdout = os.Stdout
	return cmd.Run()
}

// readSTIX is the role: it prints its rows itself.
func readSTIX(o *options) error {
	var indicators [][]byte
	for n := range stixObjects {
		_, _, b := object(n, o.Size)
		indicators = append(indicators, b)
	}
	if err := o.stixRows(fmt.Sprintf("%d B indicators with patterns", o.Size), indicators); err != nil {
		return err
	}
	real, err := attack()
	if err != nil {
		return err
	}
	if real != nil {
		if err := o.stixRows("ATT&CK mobile, as published", real); err != nil {
			return err
		}
	} else {
		fmt.Println("ATT&CK mobile: not at hand (LIAISON_CORPORA names the folder that holds corpora/)")
	}
	return streamRow(o.Size)
}

// stixRows prints parse and parse + findings beside the scan of the same objects.
func (o *options) stixRows(what string, objects [][]byte) error {
	size := 0
	for _, b := range objects {
		size += len(b)
	}
	megabytes := float64(size) / 1e6 / float64(len(objects))
	scan, _, err := o.perSecond(objects, scanTokens)
	if err != nil {
		return err
	}
	parse, parseAllocs, err := o.perSecond(objects, func(b []byte) error {
		o, err := stix.Parse(b, stix.DefaultLimits())
		if err == nil {
			stix.LabelOf(o, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	whole, wholeAllocs, err := o.perSecond(objects, func(b []byte) error {
		s, err := stix.Parse(b, stix.DefaultLimits())
		if err == nil {
			stix.LabelOf(s, nil)
			s.Findings()
		}
		return err
	})
	if err != nil {
		return err
	}
	row("parse, label: "+what, "MB/s", parse*megabytes, scan*megabytes, fmt.Sprintf("%.1f allocations an object", parseAllocs))
	row("  with all findings", "obj/s", whole, scan, fmt.Sprintf("%.1f allocations an object", wholeAllocs))
	return nil
}

// scanTokens reads the tokens of an object and keeps nothing: the limit.
func scanTokens(b []byte) error {
	d := scanner
	scanned.reset(b)
	d.Reset(&scanned)
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// scanner and scanned are used again, so that the limit is a scan and no allocation.
var (
	scanned text
	scanner = jsontext.NewDecoder(&scanned)
)

// text is a reader over bytes.
type text struct{ rest []byte }

func (t *text) reset(b []byte) { t.rest = b }

func (t *text) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// perSecond does one thing to every object, again and again, and returns objects and
// allocations by the CPU second this process used: on a busy machine waiting is no work.
func (o *options) perSecond(objects [][]byte, do func([]byte) error) (rate, allocations float64, err error) {
	for _, b := range objects { // warm
		if err := do(b); err != nil {
			return 0, 0, err
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, count := cpuTime(), 0
	for cpuTime()-begin < time.Duration(o.Seconds)*time.Second/2 {
		for _, b := range objects {
			if err := do(b); err != nil {
				return 0, 0, err
			}
		}
		count += len(objects)
	}
	used := cpuTime() - begin
	runtime.ReadMemStats(&after)
	return float64(count) / used.Seconds(), float64(after.Mallocs-before.Mallocs) / float64(count), nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only with wrong arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// attack returns the objects of ATT&CK for mobile, nil if they are not at hand.
func attack() ([][]byte, error) {
	f, err := os.Open(filepath.Join(corpora.Folder(), "corpora", "attack", "mobile-attack-17.1.json.gz"))
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var objects [][]byte
	for item, err := range stix.NewStream(z, stix.Limits{}).Items() {
		if err != nil {
			return nil, err
		}
		if item.Object != nil {
			objects = append(objects, item.Object.Bytes())
		}
	}
	return objects, nil
}

// streamBytes is the size of the bundle that is streamed.
const streamBytes = 40 << 20

// streamRow reads a large bundle from a stream and prints the memory that it took.
func streamRow(size int) error {
	var objects [][]byte
	for n := range stixObjects {
		_, _, b := object(n, size)
		objects = append(objects, b)
	}
	debug.FreeOSMemory()
	var base, now runtime.MemStats
	runtime.ReadMemStats(&base)
	peak, count := base.HeapInuse, 0
	begin := cpuTime()
	for item, err := range stix.NewStream(bundle(objects), stix.Limits{}).Items() {
		if err != nil {
			return err
		}
		if item.Err != nil {
			return item.Err
		}
		item.Object.Findings()
		if count++; count%1000 == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapInuse)
		}
	}
	used := cpuTime() - begin
	fmt.Printf("%-34s %8.0f %-5s   %d objects checked, heap at most %.1f MB above the start\n", "stream of a 40 MB bundle",
		streamBytes/1e6/used.Seconds(), "MB/s", count, float64(peak-base.HeapInuse)/1e6)
	return nil
}

// bundle is a reader of a bundle of about streamBytes, in which the objects come again and
// again.
func bundle(objects [][]byte) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, `{"type":"bundle","id":"bundle--5f0a3c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b","objects":[`)
		sep := ""
		for n, sent := 0, 0; err == nil && sent < streamBytes; n++ {
			b := objects[n%len(objects)]
			_, err = w.Write(append([]byte(sep), b...))
			sent, sep = sent+len(b)+1, ","
		}
		if err == nil {
			_, err = io.WriteString(w, "]}")
		}
		w.CloseWithError(err)
	}()
	return r
}
