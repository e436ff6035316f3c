package ledger_test

import (
	"fmt"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/tools/vectors/sample"
)

// A receipt is checked with nothing but the pin of the alliance's keys.
func ExampleVerifyReceipt() {
	a := sample.New()
	mailed := liaison.JCS(a.Receipt(a.Deliver(), 3))

	receipt, err := liaison.ParseReceipt(mailed)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := ledger.VerifyReceipt(receipt, a.Pin)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range report.Hops {
		fmt.Println(h.Office, h.Index, h.Added, "seen by", h.Cosigned[0].Office)
	}

	receipt.Object.Bytes[0] ^= 1
	_, err = ledger.VerifyReceipt(receipt, a.Pin)
	fmt.Println(err)
	// Output:
	// seoul.example.org 2 2026-03-02T08:15:30.250000Z seen by tokyo.example.org
	// tokyo.example.org 3 2026-03-02T08:15:30.390000Z seen by seoul.example.org
	// hq.example.org 4 2026-03-02T08:15:30.530000Z seen by tokyo.example.org
	// receipt: object: salt and bytes are not what the act committed to
}

// A follower keeps a Range of a log and checks each page against the
// checkpoint that came with it.
func ExampleRange() {
	var seen ledger.Range
	seen.Append(liaison.LeafHash([]byte("a")), liaison.LeafHash([]byte("b")))

	page := []liaison.Hash{liaison.LeafHash([]byte("c"))}
	root, paths := seen.Paths(page)
	fmt.Println(ledger.VerifyInclusion(page[0], 2, 3, paths[0], root))

	seen.Append(page...)
	fmt.Println(seen.Size(), seen.Root() == root)
	// Output:
	// <nil>
	// 3 true
}
