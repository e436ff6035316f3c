package taxii

import (
	"errors"
	"io"
	"net/http"

	"github.com/klauspost/compress/gzip"
)

// add hands an envelope to the backend (TAXII 2.1 §5.5): 202 and the status
// resource, whether or not it is complete already.
func (h *Handler) add(x *exchange) error {
	if x.refusal == nil && !x.collection.CanWrite {
		return ErrForbidden
	}
	body, err := h.body(x)
	if err != nil {
		return x.refused(err)
	}
	s, err := h.backend.Add(x.r.Context(), x.principal, x.collection.ID, body)
	if err != nil {
		return x.refused(ofBody(err))
	}
	return h.resource(x, http.StatusAccepted, s)
}

// body reads the body of a request, inflated, within MaxContentLength both on
// the wire and after inflation.
func (h *Handler) body(x *exchange) ([]byte, error) {
	if !isTAXII(x.r.Header["Content-Type"]) {
		return nil, errContentType
	}
	if x.r.ContentLength > h.config.MaxContentLength {
		x.w.Header().Set("Connection", "close")
		return nil, ErrTooLarge
	}
	var in io.Reader = http.MaxBytesReader(x.w, x.r.Body, h.config.MaxContentLength)
	size := x.r.ContentLength
	switch codings := x.r.Header["Content-Encoding"]; {
	case len(codings) == 0 || len(codings) == 1 && codings[0] == "identity":
	case len(codings) == 1 && (codings[0] == "gzip" || codings[0] == "x-gzip"):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, unreadable(err)
		}
		defer z.Close()
		in, size = z, size*4
	default:
		return nil, errContentType
	}
	return readAll(in, size, h.config.MaxContentLength)
}

// readAll reads no more than limit bytes, and one to see that there are more.
// size is how many are expected; -1 or a lie costs copies, not memory.
func readAll(in io.Reader, size, limit int64) ([]byte, error) {
	b := make([]byte, 0, min(max(size, 511), limit, 1<<20)+1)
	for {
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, ErrTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, unreadable(err)
		}
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(2*int64(cap(b)), limit+1)), b...)
		}
	}
}

// unreadable says what is wrong with a body that could not be read to its end.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return ErrTooLarge
	}
	return &Refusal{Err: ErrBadRequest, Description: "the body ends early or is not what its headers say"}
}
