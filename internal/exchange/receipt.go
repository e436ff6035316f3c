package exchange

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/taxii"
)

// ReceiptPattern is where the receipt of an entry is, for those who may read
// its collection. With ?object=1 it holds the object and its salt too.
const ReceiptPattern = receiptPrefix + "{collection}/{index}/"

const receiptPrefix = "/receipts/"

// ReceiptPath returns the path of the receipt of an entry.
func ReceiptPath(c liaison.CollectionID, index uint64) string {
	return fmt.Sprintf("%s%s/%d/", receiptPrefix, c, index)
}

func isReceipt(path string) bool { return strings.HasPrefix(path, receiptPrefix) }

// parseReceipt reads collection and index of a receipt's path.
func parseReceipt(path string) (c liaison.CollectionID, index uint64, err error) {
	id, number, _ := strings.Cut(strings.Trim(strings.TrimPrefix(path, receiptPrefix), "/"), "/")
	if c, err = liaison.ParseCollectionID(id); err == nil {
		index, err = strconv.ParseUint(number, 10, 40)
	}
	if err != nil || path != ReceiptPath(c, index) {
		err = taxii.ErrNotFound
	}
	return c, index, err
}

func (r *Room) serveReceipt(w http.ResponseWriter, req *http.Request) error {
	credentials, err := taxii.CredentialsOf(req)
	if err != nil {
		return err
	}
	p, err := r.Authenticate(req.Context(), credentials)
	if err != nil {
		return err
	}
	page, err := r.readReceipt(req, p)
	if err != nil {
		if credentials.Anonymous() && err == taxii.ErrNotFound {
			return taxii.ErrUnauthorized
		}
		return err
	}
	body, err := json.Marshal(page.Receipt, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(body)
	if err != nil {
		r.Log.Debug("receipt not sent", "err", err)
	}
	return nil
}

func (r *Room) readReceipt(req *http.Request, p taxii.Principal) (*desk.Page, error) {
	c, index, err := parseReceipt(req.URL.Path)
	if err != nil {
		return nil, err
	}
	page, err := r.Desk.Read(req.Context(), viewer(p), desk.Query{
		What: desk.Receipts, Collection: c, From: index, WithObject: req.URL.Query().Get("object") == "1",
	})
	return page, wire(err)
}
