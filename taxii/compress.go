package taxii

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/klauspost/compress/gzip"
)

// minGzip is the length from which a page is worth compressing.
const minGzip = 2 << 10

// Pages hold nothing secret that a client could vary its own text against, so
// compressing them gives nothing away; other answers are not compressed.

// zipped sends a body compressed with gzip.
func (h *Handler) zipped(x *exchange, parts [][]byte) error {
	buffer := h.buffer(0)
	defer h.release(buffer)
	out := bytes.NewBuffer(*buffer)
	w := h.zipper(out)
	defer h.zips.Put(w)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("compress a page: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress a page: %w", err)
	}
	*buffer = out.Bytes()
	x.w.Header().Set("Content-Encoding", "gzip")
	h.write(x, http.StatusOK, *buffer)
	return nil
}

func (h *Handler) zipper(out *bytes.Buffer) *gzip.Writer {
	if w, ok := h.zips.Get().(*gzip.Writer); ok {
		w.Reset(out)
		return w
	}
	w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}

// maxPooled bounds the buffers kept between requests.
const maxPooled = 4 << 20

// buffer returns an empty buffer with room for size bytes.
func (h *Handler) buffer(size int) *[]byte {
	b, ok := h.buffers.Get().(*[]byte)
	if !ok || cap(*b) < size {
		fresh := make([]byte, 0, size)
		b = &fresh
	}
	*b = (*b)[:0]
	return b
}

func (h *Handler) release(b *[]byte) {
	if cap(*b) <= maxPooled {
		h.buffers.Put(b)
	}
}
