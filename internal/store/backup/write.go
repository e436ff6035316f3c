package backup

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// Write copies a store, as it is at one instant, into w. The store goes on
// serving. tell, if not nil, is called now and then with what has been written.
func Write(ctx context.Context, s store.Store, h Header, w io.Writer, tell func(Summary)) (Summary, error) {
	view := s.View
	if long, ok := s.(store.LongViewer); ok {
		view = long.LongView
	}
	h.Schema = store.Schema
	out, err := newWriter(ctx, w, h, tell)
	if err != nil {
		return Summary{}, err
	}
	if err := view(ctx, out.copy); err != nil {
		return out.sum, fmt.Errorf("back up: %w", err)
	}
	return out.sum, nil
}

type writer struct {
	ctx   context.Context
	w     *bufio.Writer
	zip   *zstd.Encoder
	tell  func(Summary)
	sum   Summary
	chain chain
	block []byte // records that are not yet written
	zstd  []byte
	space []byte // one record
}

func newWriter(ctx context.Context, w io.Writer, h Header, tell func(Summary)) (*writer, error) {
	// A block's SHA-256 says more than zstd's own checksum.
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	if tell == nil {
		tell = func(Summary) {}
	}
	out := &writer{ctx: ctx, w: bufio.NewWriterSize(w, blockSize), zip: zip, tell: tell}
	text, err := json.Marshal(h, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%s%d %s\n", magic, Format, text)
	if len(line) > maxHeader {
		return nil, fmt.Errorf("the header of the backup is %d bytes long", len(line))
	}
	out.chain.add(line)
	_, err = out.w.Write(line)
	return out, err
}

// copy writes everything that a snapshot holds.
func (w *writer) copy(v store.View) error {
	if mark, err := store.RestoreMark(v); err != nil || mark != nil && mark.Half {
		return half(mark, err)
	}
	if err := v.Buckets(func(bucket string) error { return w.bucket(v, bucket) }); err != nil {
		return err
	}
	if err := v.Collections(func(c liaison.CollectionID) error { return w.collection(v, c) }); err != nil {
		return err
	}
	end, err := json.Marshal(w.sum)
	if err != nil {
		return err
	}
	if err := w.record(isEnd, end); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.w.Flush()
}

func half(mark *store.Restore, err error) error {
	if err != nil {
		return err
	}
	return mark.Refusal()
}

func (w *writer) bucket(v store.View, bucket string) error {
	if bucket == store.BucketRestore { // it is about this store
		return nil
	}
	if err := w.record(isBucket, []byte(bucket)); err != nil {
		return err
	}
	return v.States(bucket, "", func(key string, value []byte) error {
		w.sum.States++
		w.space = append(binary.AppendUvarint(w.space[:0], uint64(len(key))), key...)
		w.space = append(w.space, value...)
		return w.record(isState, w.space)
	})
}

func (w *writer) collection(v store.View, c liaison.CollectionID) error {
	p, err := v.Position(c)
	if err != nil {
		return err
	}
	w.sum.Collections++
	if err := w.record(isCollection, appendCollection(nil, collection{c, p.Generation, p.Size})); err != nil {
		return err
	}
	hidden := uint64(0)
	err = v.Range(c, 0, store.MaxEntries, store.Full, func(e *store.Entry) error {
		w.sum.Entries++
		if e.Hidden {
			hidden++
		}
		if e.Erased {
			w.sum.Erased++
		}
		w.space = appendEntry(w.space[:0], e)
		return w.record(isEntry, w.space)
	})
	if err != nil || hidden == 0 {
		return err
	}
	// What hides an entry may come later: all entries must be there first. To
	// keep it in mind until then would take memory without bound.
	w.sum.Hidden += hidden
	return v.Range(c, 0, store.MaxEntries, store.Meta, func(e *store.Entry) error {
		if !e.Hidden {
			return nil
		}
		w.space = binary.AppendUvarint(binary.AppendUvarint(w.space[:0], e.Index), e.By)
		return w.record(isHidden, w.space)
	})
}

// record adds a record, and writes the block if it is full.
func (w *writer) record(k kind, b []byte) error {
	if len(b) > maxRecord {
		return fmt.Errorf("a record of %d bytes is too long for a backup", len(b))
	}
	w.block = append(w.block, byte(k))
	w.block = appendBytes(w.block, b)
	if k != isEnd {
		w.sum.Bytes += uint64(len(b))
	}
	if len(w.block) < blockSize {
		return nil
	}
	return w.flush()
}

// flush writes a block: its length, its bytes, and the hash of all so far.
func (w *writer) flush() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.zstd = w.zip.EncodeAll(w.block, append(w.zstd[:0], 0, 0, 0, 0))
	binary.BigEndian.PutUint32(w.zstd, uint32(len(w.zstd)-4))
	w.chain.add(w.zstd)
	w.block = w.block[:0]
	if _, err := w.w.Write(w.zstd); err != nil {
		return err
	}
	_, err := w.w.Write(w.chain[:])
	w.tell(w.sum)
	return err
}
