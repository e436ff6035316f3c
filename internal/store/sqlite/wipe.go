package sqlite

import "encoding/binary"

// SQLite zeroes what is deleted (PRAGMA secure_delete), but not what it moves:
// when rows go from one page of a b-tree to another, they stay where they were,
// in the space between the page's cells that is not in use. An erased row would
// outlive itself there. So that space is zeroed whenever a page is written into
// the database, which happens at checkpoints alone; the write-ahead log is
// emptied by Scrub.

// maxPages keeps the number of every page below 2^24: then the first byte of a
// page that is no b-tree, where the number of another page stands, is zero, and
// says so. It bounds the database to 128 GiB.
const maxPages = 1<<24 - 1

// wipe zeroes what is not in use of a page of a b-tree, and leaves all others as
// they are (SQLite file format §1.6). first is the page with the header of the
// file.
func wipe(page []byte, first bool) {
	header := 0
	if first {
		header = 100
	}
	cells := header + 8 // where their pointers begin
	switch page[header] {
	case 2, 5: // with children
		cells += 4
	case 10, 13:
	default:
		return
	}
	at := func(i int) int { return int(binary.BigEndian.Uint16(page[i:])) }
	cells += 2 * at(header+3)
	contents := at(header + 5)
	if contents == 0 {
		contents = 65536
	}
	if cells > contents || contents > len(page) {
		return // damaged: for the check to see as it is
	}
	clear(page[cells:contents])
	for free := at(header + 1); free >= contents && free+4 <= len(page); {
		next, end := at(free), free+at(free+2)
		if end < free+4 || end > len(page) {
			return
		}
		clear(page[free+4 : end])
		if next < end {
			return
		}
		free = next
	}
}
