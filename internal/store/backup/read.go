package backup

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Reader reads a backup once, from its beginning to its end.
type Reader struct {
	Header Header

	r     *bufio.Reader
	zip   *zstd.Decoder
	chain chain
	at    int64 // bytes read so far
	block int64 // where the block in hand begins
	rest  []byte
	sum   Summary
	place place
}

// place is how far a file was read, for people and to see that its order holds.
type place struct {
	bucket, key *string
	log         *collection
	next        uint64 // index of the next entry of log
	hidden      *uint64
	end         bool
}

func (p *place) String() string {
	switch {
	case p.log != nil && p.hidden != nil:
		return fmt.Sprintf("among the superseded entries of collection %s, after %d", p.log.id, *p.hidden)
	case p.log != nil:
		return fmt.Sprintf("among the entries of collection %s, at index %d", p.log.id, p.next)
	case p.bucket != nil:
		return fmt.Sprintf("among the states of bucket %.80q", *p.bucket)
	}
	return "at the beginning"
}

// sink takes what a file holds, in its order. What it is given stays valid.
type sink interface {
	state(bucket, key string, value []byte) error
	collection(c collection) error
	entry(c liaison.CollectionID, e *store.Entry, erased bool) error
	hide(c liaison.CollectionID, index, by uint64) error
}

// NewReader reads the header. ErrNewer, ErrDamaged and ErrCut refuse the file;
// so does a file that is no backup.
func NewReader(r io.Reader) (*Reader, error) {
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
	if err != nil {
		return nil, err
	}
	in := &Reader{r: bufio.NewReaderSize(r, blockSize), zip: zip}
	line, err := in.line()
	if err != nil {
		return nil, err
	}
	number, text, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(string(line), "\n"), magic), " ")
	format, err := strconv.Atoi(number)
	switch {
	case err != nil || format < 1 || strconv.Itoa(format) != number:
		return nil, fmt.Errorf("byte %d, in the header: %w", len(magic), ErrDamaged)
	case format > Format:
		return nil, fmt.Errorf("%w (format %d; this one knows %d)", ErrNewer, format, Format)
	}
	in.chain.add(line)
	if err := json.Unmarshal([]byte(text), &in.Header); err != nil {
		return nil, fmt.Errorf("in the header: %w (%w)", ErrDamaged, err)
	}
	if in.Header.Schema > store.Schema {
		return nil, fmt.Errorf("%w (schema %d; this one knows %d)", ErrNewer, in.Header.Schema, store.Schema)
	}
	return in, nil
}

// line reads the first line.
func (r *Reader) line() ([]byte, error) {
	var line []byte
	for {
		b, err := r.r.ReadByte()
		switch {
		case err == io.EOF && len(line) > 0 && strings.HasPrefix(magic, string(line[:min(len(line), len(magic))])):
			return nil, fmt.Errorf("after %d bytes, in the header: %w", len(line), ErrCut)
		case err != nil && err != io.EOF:
			return nil, err
		case err == io.EOF, len(line) < len(magic) && b != magic[len(line)]:
			return nil, errors.New("this is no backup of liaison")
		case len(line) >= maxHeader:
			return nil, fmt.Errorf("byte %d, in the header: %w", len(line), ErrDamaged)
		}
		r.at++
		if line = append(line, b); b == '\n' {
			return line, nil
		}
	}
}

// Check reads a backup to its end and returns what is in it.
func (r *Reader) Check(tell func(Summary)) (Summary, error) { return r.walk(nothing{}, tell) }

// nothing is a sink for what is only looked at.
type nothing struct{}

func (nothing) state(string, string, []byte) error                   { return nil }
func (nothing) collection(collection) error                          { return nil }
func (nothing) entry(liaison.CollectionID, *store.Entry, bool) error { return nil }
func (nothing) hide(c liaison.CollectionID, index, by uint64) error  { return nil }

// walk gives everything to a sink. A file whose end is not as it should be is an
// error, after all that.
func (r *Reader) walk(to sink, tell func(Summary)) (Summary, error) {
	if tell == nil {
		tell = func(Summary) {}
	}
	for !r.place.end {
		if err := r.load(); err != nil {
			return r.sum, err
		}
		for len(r.rest) > 0 {
			if err := r.record(to); err != nil {
				return r.sum, err
			}
		}
		tell(r.sum)
	}
	if _, err := r.r.ReadByte(); err == nil {
		return r.sum, fmt.Errorf("bytes follow the end at byte %d: %w", r.at, ErrDamaged)
	} else if err != io.EOF {
		return r.sum, err
	}
	return r.sum, nil
}

// load reads the next block and compares its hash.
func (r *Reader) load() error {
	r.block = r.at
	var head [4]byte
	if err := r.read(head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxBlock {
		return r.damaged(fmt.Errorf("a block of %d bytes", n))
	}
	var data bytes.Buffer // it grows with what is there, not with what n says
	got, err := io.CopyN(&data, r.r, int64(n))
	r.at += got
	if err != nil {
		return r.short(err)
	}
	var want chain
	if err := r.read(want[:]); err != nil {
		return err
	}
	if r.chain.add(head[:], data.Bytes()); r.chain != want {
		return r.damaged(errors.New("its hash is another"))
	}
	if r.rest, err = r.zip.DecodeAll(data.Bytes(), nil); err != nil {
		return r.damaged(err)
	}
	if len(r.rest) == 0 {
		return r.damaged(errors.New("it is empty"))
	}
	return nil
}

func (r *Reader) read(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.at += int64(n)
	return r.short(err)
}

// short says so of a file that ends.
func (r *Reader) short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("after %d bytes, %s: %w", r.at, &r.place, ErrCut)
	}
	return err
}

func (r *Reader) damaged(why error) error {
	return fmt.Errorf("in the block at byte %d, %s: %w (%w)", r.block, &r.place, ErrDamaged, why)
}

// record reads the next record of the block. What the sink says is its own.
func (r *Reader) record(to sink) error {
	f := fields{rest: r.rest[1:]}
	k, body := kind(r.rest[0]), f.bytes()
	if f.err != nil {
		return r.damaged(f.err)
	}
	r.rest = f.rest
	if k != isEnd {
		r.sum.Bytes += uint64(len(body))
	}
	var give func() error
	var err error
	switch {
	case r.place.end:
		err = errors.New("records follow the end")
	case k == isBucket:
		err = r.bucket(string(body))
	case k == isState:
		give, err = r.state(body, to)
	case k == isCollection:
		give, err = r.collection(body, to)
	case k == isEntry:
		give, err = r.entry(body, to)
	case k == isHidden:
		give, err = r.hidden(body, to)
	case k == isEnd:
		err = r.end(body)
	default:
		err = fmt.Errorf("a record of kind %d", k)
	}
	if err != nil {
		return r.damaged(err)
	}
	if give != nil {
		return give()
	}
	return nil
}

func (r *Reader) bucket(name string) error {
	p := &r.place
	if p.log != nil || p.bucket != nil && *p.bucket >= name || name == store.BucketRestore {
		return errors.New("a bucket is not in its place")
	}
	p.bucket, p.key = &name, nil
	return nil
}

func (r *Reader) state(body []byte, to sink) (func() error, error) {
	f, p := fields{rest: body}, &r.place
	key := f.text()
	if f.err != nil {
		return nil, f.err
	}
	if p.log != nil || p.bucket == nil || p.key != nil && *p.key >= key {
		return nil, errors.New("a state is not in its place")
	}
	p.key = &key
	r.sum.States++
	return func() error { return to.state(*p.bucket, key, f.rest) }, nil
}

func (r *Reader) collection(body []byte, to sink) (func() error, error) {
	c, err := parseCollection(body)
	if err != nil {
		return nil, err
	}
	p := &r.place
	if p.log != nil && (p.next < p.log.size || bytes.Compare(p.log.id[:], c.id[:]) >= 0) {
		return nil, errors.New("a collection is not in its place")
	}
	p.log, p.next, p.hidden = &c, 0, nil
	r.sum.Collections++
	return func() error { return to.collection(c) }, nil
}

func (r *Reader) entry(body []byte, to sink) (func() error, error) {
	p, e := &r.place, new(store.Entry)
	if p.log == nil || p.next >= p.log.size {
		return nil, errors.New("an entry is not in its place")
	}
	if err := parseEntry(body, e); err != nil {
		return nil, err
	}
	e.Index = p.next
	erased := body[0]&isErased != 0
	r.sum.Entries++
	if erased {
		r.sum.Erased++
	}
	p.next++
	return func() error { return to.entry(p.log.id, e, erased) }, nil
}

func (r *Reader) hidden(body []byte, to sink) (func() error, error) {
	f, p := fields{rest: body}, &r.place
	index, by := f.number(), f.number()
	if err := f.end(); err != nil {
		return nil, err
	}
	if p.log == nil || p.next < p.log.size || p.hidden != nil && *p.hidden >= index || max(index, by) >= p.log.size || index == by {
		return nil, errors.New("a superseded entry is not in its place")
	}
	p.hidden = &index
	r.sum.Hidden++
	return func() error { return to.hide(p.log.id, index, by) }, nil
}

// end compares the counts of the file with what was read.
func (r *Reader) end(body []byte) error {
	var want Summary
	if err := json.Unmarshal(body, &want, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	if p := &r.place; p.log != nil && p.next < p.log.size {
		return fmt.Errorf("the end comes after %d of %d entries", p.next, p.log.size)
	}
	if want != r.sum {
		return fmt.Errorf("its end counts %+v, and there were %+v", want, r.sum)
	}
	r.place.end = true
	return nil
}

// SHA256 is the digest under which a backup that was read to its end is known:
// its last 32 bytes.
func (r *Reader) SHA256() string { return r.chain.String() }
