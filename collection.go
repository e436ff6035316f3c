package liaison

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// CollectionID identifies a collection everywhere: 16 bytes derived from the
// programme's genesis, the area and the epoch, with UUIDv4 version and variant
// bits, so that it is a valid TAXII 2.1 §2 identifier.
type CollectionID [16]byte

// CollectionOf returns the id of the collection of a programme, an area and an
// epoch (from 1):
//
//	H("liaison/collection/1\0" ‖ genesis ‖ u32be len(area) ‖ area ‖ u32be epoch)[:16]
func CollectionOf(genesis Hash, area Area, epoch uint32) CollectionID {
	b := append([]byte("liaison/collection/1\x00"), genesis[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(area)))
	b = append(b, area...)
	b = binary.BigEndian.AppendUint32(b, epoch)
	h := H(b)
	c := CollectionID(h[:16])
	c[6] = c[6]&0x0f | 0x40
	c[8] = c[8]&0x3f | 0x80
	return c
}

// String returns the lower-case UUID form.
func (c CollectionID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], c[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], c[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], c[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], c[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], c[10:16])
	return string(b[:])
}

// IsZero reports whether c was never set.
func (c CollectionID) IsZero() bool { return c == CollectionID{} }

// MarshalText implements encoding.TextMarshaler.
func (c CollectionID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts the lower-case UUIDv4 form only.
func (c *CollectionID) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCollectionID(string(text))
	return err
}

// ParseCollectionID reads what String wrote, and nothing else.
func ParseCollectionID(s string) (CollectionID, error) {
	var c CollectionID
	if len(s) == 36 {
		_, err := hex.Decode(c[:], []byte(s[0:8]+s[9:13]+s[14:18]+s[19:23]+s[24:36]))
		if err == nil && c.String() == s && c[6]>>4 == 4 && c[8]>>6 == 2 {
			return c, nil
		}
	}
	return CollectionID{}, fmt.Errorf("collection %.60q is not a lower-case UUIDv4", s)
}
