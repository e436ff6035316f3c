package sqlite

import "encoding/binary"

// Pages of the database end with a checksum of eight bytes, in SQLite's format
// (sqlite.org/cksumvfs.html). The driver computes it when it writes a page and
// compares it when it reads one: a damaged page is an error and is served to
// nobody. Pages in the write-ahead log have the log's own checksums, which are
// compared when a store is opened.

const checksumSize = 8

// checksumHolds reports whether a page ends with its checksum.
func checksumHolds(page []byte) bool {
	end := len(page) - checksumSize
	return checksum(page[:end]) == [checksumSize]byte(page[end:])
}

// setChecksum writes the checksum of a page that was changed.
func setChecksum(page []byte) {
	end := len(page) - checksumSize
	sum := checksum(page[:end])
	copy(page[end:], sum[:])
}

func checksum(b []byte) (sum [checksumSize]byte) {
	var s1, s2 uint32
	for ; len(b) >= 8; b = b[8:] {
		s1 += binary.LittleEndian.Uint32(b) + s2
		s2 += binary.LittleEndian.Uint32(b[4:]) + s1
	}
	binary.LittleEndian.PutUint32(sum[:], s1)
	binary.LittleEndian.PutUint32(sum[4:], s2)
	return sum
}
