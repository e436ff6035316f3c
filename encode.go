package liaison

import (
	"encoding/base64"
	"strconv"
)

// encoder writes a value's canonical JSON by hand: acts, leaves and batch
// proofs are written for every object, and reflection would cost more than
// their hashes. ok is false if a string needs escaping; JCS then goes the
// general way. A property test holds both ways together.
type encoder interface {
	appendJCS(b []byte) (out []byte, ok bool)
}

// appendJCS implements encoder; members in the order of RFC 8785 §3.2.3.
func (a Act) appendJCS(b []byte) ([]byte, bool) {
	if !plain(string(a.By)) || !plain(string(a.For)) || !plain(string(a.Office)) || !plain(a.V) || a.Approved != nil || !a.Accepted.encodes() {
		return nil, false
	}
	b = appendInstant(append(b, `{"accepted":`...), a.Accepted)
	b = appendString(append(b, `,"by":`...), string(a.By))
	b = appendString(append(b, `,"collection":`...), a.Collection.String())
	if !a.Commit.IsZero() {
		b = appendHash(append(b, `,"commit":`...), a.Commit)
	}
	if !a.Consent.IsZero() {
		b = appendHash(append(b, `,"consent":`...), a.Consent)
	}
	if !a.Erases.IsZero() {
		b = appendHash(append(b, `,"erases":`...), a.Erases)
	}
	if a.For != "" {
		b = appendString(append(b, `,"for":`...), string(a.For))
	}
	if a.Label != 0 {
		b = appendString(append(b, `,"label":`...), a.Label.String())
	}
	b = appendString(append(b, `,"office":`...), string(a.Office))
	b = appendHash(append(b, `,"under":`...), a.Under)
	b = appendString(append(b, `,"v":`...), a.V)
	return append(b, '}'), true
}

// appendJCS implements encoder.
func (l Leaf) appendJCS(b []byte) ([]byte, bool) {
	if !plain(string(l.Kind)) || !plain(l.V) || l.Counts != nil || l.Prev != nil || l.Act.IsZero() || !l.Added.encodes() {
		return nil, false
	}
	if l.Via != nil && (!plain(string(l.Via.Origin.Office)) || l.Via.Index > maxExact) {
		return nil, false
	}
	b = appendHash(append(b, `{"act":`...), l.Act)
	b = appendInstant(append(b, `,"added":`...), l.Added)
	b = appendString(append(b, `,"kind":`...), string(l.Kind))
	b = appendString(append(b, `,"v":`...), l.V)
	if l.Via != nil {
		b = strconv.AppendUint(append(b, `,"via":{"index":`...), l.Via.Index, 10)
		b = appendString(append(b, `,"origin":`...), l.Via.Origin.String())
		b = append(b, '}')
	}
	return append(b, '}'), true
}

// appendJCS implements encoder.
func (p BatchProof) appendJCS(b []byte) ([]byte, bool) {
	if p.Index > maxExact || p.Size > maxExact {
		return nil, false
	}
	b = strconv.AppendUint(append(b, `{"index":`...), p.Index, 10)
	b = append(b, `,"path":[`...)
	for i, h := range p.Path {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHash(b, h)
	}
	b = append(b, `],"sig":"`...)
	b = base64.StdEncoding.AppendEncode(b, p.Sig)
	b = strconv.AppendUint(append(b, `","size":`...), p.Size, 10)
	return append(b, '}'), true
}

// encodes reports whether an instant has a text form.
func (i Instant) encodes() bool {
	y := i.Time().Year()
	return y >= 1 && y <= 9999
}

func appendInstant(b []byte, i Instant) []byte {
	b = append(b, '"')
	b = i.Append(b)
	return append(b, '"')
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendHash(b []byte, h Hash) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, h[:])
	return append(b, '"')
}

// plain reports whether a string needs no escaping in JSON.
func plain(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}
