package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// A frame is four bytes of length, big endian, one byte of kind and that many
// bytes of body. The body is JSON, as Zstandard (RFC 8878) where the highest bit
// of the kind is set. The body of a page begins with the number of the follow it
// answers, four bytes big endian, so that it finds its collection before
// anything is decompressed.

// MaxFrame bounds a body, as sent and decompressed.
const MaxFrame = 16 << 20

// maxHello bounds the first frame, of somebody who has said nothing yet.
const maxHello = 4 << 10

// kind says what a frame is.
type kind byte

// The kinds; recall and recalled from version 2 on. Others end the stream.
const (
	kindHello     kind = 1
	kindPing      kind = 2
	kindBye       kind = 3
	kindOffers    kind = 4
	kindFollow    kind = 5
	kindPage      kind = 6
	kindGone      kind = 7
	kindBusy      kind = 8
	kindAck       kind = 9
	kindEvidence  kind = 10
	kindDelivered kind = 11
	kindRecall    kind = 12
	kindRecalled  kind = 13

	compressed kind = 0x80
)

// String names a kind in errors.
func (k kind) String() string {
	names := [...]string{"", "hello", "ping", "bye", "offers", "follow", "page", "gone", "busy", "ack", "evidence", "delivered", "recall", "recalled"}
	if k &^= compressed; k > 0 && int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

func (k kind) known() bool { k &^= compressed; return k >= kindHello && k <= kindRecalled }

// frame is one frame as it is on the wire, without its length.
type frame struct {
	kind   kind
	number uint32 // pages only
	body   []byte
}

const headerSize = 5

// readFrame reads a frame of at most limit bytes. Memory grows with what has
// come, not with what the length promises.
func readFrame(r io.Reader, limit int) (frame, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: kind(head[4])}
	size := binary.BigEndian.Uint32(head[:4])
	if !f.kind.known() {
		return f, protocolError("a frame of unknown %s", f.kind)
	}
	if uint64(size) > uint64(limit) {
		return f, protocolError("%s frame of %d bytes, the limit is %d", f.kind, size, limit)
	}
	var b bytes.Buffer
	if n, err := b.ReadFrom(io.LimitReader(r, int64(size))); err != nil || n < int64(size) {
		return f, errors.Join(err, io.ErrUnexpectedEOF)
	}
	f.body = b.Bytes()
	if f.kind&^compressed != kindPage {
		return f, nil
	}
	if len(f.body) < 4 {
		return f, protocolError("page frame of %d bytes lacks its number", len(f.body))
	}
	f.number, f.body = binary.BigEndian.Uint32(f.body), f.body[4:]
	return f, nil
}

// append writes the frame behind b.
func (f frame) append(b []byte) []byte {
	size := len(f.body)
	if f.kind&^compressed == kindPage {
		size += 4
	}
	b = append(binary.BigEndian.AppendUint32(b, uint32(size)), byte(f.kind))
	if f.kind&^compressed == kindPage {
		b = binary.BigEndian.AppendUint32(b, f.number)
	}
	return append(b, f.body...)
}

// protocolFault is what a neighbour does not do. It ends the
// stream.
type protocolFault struct{ reason string }

func (e *protocolFault) Error() string { return "the neighbour broke the protocol: " + e.reason }

func protocolError(format string, args ...any) error {
	return &protocolFault{fmt.Sprintf(format, args...)}
}

// codec turns messages into frames and back. Frames do not share a window: what
// one collection holds shows in the length of no other's.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

const (
	window       = 1 << 20 // most of what compressing or decompressing remembers
	compressFrom = 512     // bytes; shorter bodies go as they are
)

func newCodec() (*codec, error) {
	enc, err1 := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(pagesAtOnce), zstd.WithWindowSize(window),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	dec, err2 := zstd.NewReader(nil, zstd.WithDecoderConcurrency(pagesAtOnce), zstd.WithDecoderMaxMemory(MaxFrame),
		zstd.WithDecoderLowmem(true))
	return &codec{enc, dec}, errors.Join(err1, err2)
}

// encode returns the frame of a message.
func (c *codec) encode(k kind, m any) (frame, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return frame{}, fmt.Errorf("encode %s: %w", k, err)
	}
	if len(b) > MaxFrame-4 {
		return frame{}, fmt.Errorf("encode %s: %w", k, errTooLong)
	}
	if len(b) < compressFrom {
		return frame{kind: k, body: b}, nil
	}
	return frame{kind: k | compressed, body: c.enc.EncodeAll(b, make([]byte, 0, len(b)/2))}, nil
}

// errTooLong says that a message does not fit into a frame.
var errTooLong = fmt.Errorf("longer than %d bytes", MaxFrame)

// decode reads the message of a frame into m; unknown members are refused.
func (c *codec) decode(f frame, m any) error {
	b := f.body
	if f.kind&compressed != 0 {
		var err error
		if b, err = c.dec.DecodeAll(b, nil); err != nil {
			return protocolError("%s frame: %s", f.kind, err)
		}
	}
	if err := json.Unmarshal(b, m, json.RejectUnknownMembers(true)); err != nil {
		return protocolError("%s frame: %s", f.kind, err)
	}
	return nil
}
