package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// ConstantKind is the type of a constant (§9.2).
type ConstantKind uint8

// The types of constants.
const (
	String ConstantKind = iota + 1
	Integer
	Float
	Boolean
	Hex
	Binary
	Timestamp
)

// String returns the type's name in the specification.
func (k ConstantKind) String() string {
	switch k {
	case String:
		return "string"
	case Integer:
		return "integer"
	case Float:
		return "float"
	case Boolean:
		return "boolean"
	case Hex:
		return "hex"
	case Binary:
		return "binary"
	case Timestamp:
		return "timestamp"
	}
	return "no constant"
}

// kinds is a set of constant types.
type kinds uint8

const (
	anyKind     = kinds(1<<String | 1<<Integer | 1<<Float | 1<<Boolean | 1<<Hex | 1<<Binary | 1<<Timestamp)
	orderedKind = anyKind &^ (1 << Boolean)
	numberKind  = kinds(1<<Integer | 1<<Float)
)

func (s kinds) has(k ConstantKind) bool { return s&(1<<k) != 0 }

// A Constant is what a property is compared with (§9.2).
type Constant struct {
	At   int // offset in bytes
	Kind ConstantKind
	// Text is the constant as written: digits of a number with their sign; what stands between
	// the apostrophes of a string (escapes and all), a hex, binary or timestamp constant; true or false.
	Text string
}

// Value returns the text of a string without its escapes, and Text of every other constant.
func (c Constant) Value() string {
	if c.Kind == String {
		return unescape(c.Text)
	}
	return c.Text
}

// Bytes returns the octets of a hex or binary constant.
func (c Constant) Bytes() ([]byte, error) {
	if c.Kind == Hex {
		return hex.DecodeString(c.Text)
	}
	return base64.StdEncoding.DecodeString(c.Text) // ignores line feeds
}

// String prints the constant as a pattern has it.
func (c Constant) String() string { return string(c.append(nil)) }

// unescape undoes escape.
func unescape(text string) string {
	i := strings.IndexByte(text, '\\')
	if i < 0 {
		return text
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(text, '\\') {
		b.WriteString(text[:i])
		b.WriteString(text[i+1 : min(i+2, len(text))])
		text = text[min(i+2, len(text)):]
	}
	b.WriteString(text)
	return b.String()
}

// appendEscaped appends s with a backslash before each apostrophe and backslash (§9.2).
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] == '\'' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}

// StringConstant returns the constant for a text.
func StringConstant(s string) Constant {
	return Constant{Kind: String, Text: string(appendEscaped(nil, s))}
}

// constantKind returns the type of the constant that a token is, or 0.
func (t token) constantKind() ConstantKind {
	switch t.kind {
	case stringLiteral:
		return String
	case integerLiteral:
		return Integer
	case floatLiteral:
		return Float
	case trueWord, falseWord:
		return Boolean
	case hexLiteral:
		return Hex
	case binaryLiteral:
		return Binary
	case timestampLiteral:
		return Timestamp
	}
	return 0
}

// constant reads a constant of one of the types.
func (p *parser) constant(allowed kinds, expected string) Constant {
	k := p.tok.constantKind()
	if !allowed.has(k) {
		p.unexpected(expected)
		return Constant{}
	}
	c := Constant{p.tok.start, k, p.text()}
	p.next()
	return c
}
