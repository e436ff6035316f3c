package taxii

import "context"

// Principal is whom a Backend recognised in Credentials, in the Backend's own
// terms. The handler only hands it back.
type Principal any

// Credentials are what a client shows: a user name with a password (HTTP Basic)
// or a token (Bearer). The zero value is a client that shows nothing.
type Credentials struct {
	User, Password string
	Token          string
}

// Anonymous reports whether c shows nothing.
func (c Credentials) Anonymous() bool { return c == Credentials{} }

// Backend is what a Handler serves. All methods may be called at the same time
// from many goroutines and must give up when ctx ends. They return the errors
// of this package (wrapped or not); any other error is answered with a 500.
//
// What a method answers depends only on what the principal may see and on its
// own acts: unknown and forbidden are both ErrNotFound.
type Backend interface {
	// Authenticate returns the principal of c, or ErrUnauthorized. Anonymous
	// credentials are asked too: a backend without public collections refuses
	// them. Wrong credentials never become anonymous.
	Authenticate(ctx context.Context, c Credentials) (Principal, error)

	// Collections lists what p may see, in the same order every time.
	Collections(ctx context.Context, p Principal) ([]Collection, error)

	// Collection returns the one named by its id or its alias, letter for
	// letter, or ErrNotFound. The handler calls it before everything else that
	// names a collection and keeps CanRead and CanWrite; Objects and Add judge
	// again, for rights may end in between.
	Collection(ctx context.Context, p Principal, idOrAlias string) (Collection, error)

	// Objects returns a page of a collection, by its id: the entries after
	// q.Next and q.AddedAfter that q.Match lets through, at most q.Limit, in
	// ascending order of Added. Nothing found is an empty page. ErrNotFound if p
	// may not see the collection now, ErrForbidden if it may not read it. A Next
	// that is malformed, expired, or made for another principal, collection or
	// Match.Key is ErrBadNext, without distinction.
	Objects(ctx context.Context, p Principal, collection string, q Query) (Page, error)

	// Add takes the objects of an envelope, a body that has passed the limit
	// and nothing else. The status it returns is Complete only when what it
	// counts as success is durable. An object that is refused is one of the
	// failures and spoils nothing; a body that is no envelope is a *stix.Error or
	// a *Refusal of ErrBadRequest or ErrUnprocessable. ErrNotFound, ErrForbidden
	// as in Objects. It is also asked about collections that Collection does not
	// show p, or shows as not writable, because a backend may let p withdraw
	// there what it once added; the collection is then any text, and whatever
	// else is wrong with the request is answered by what Collection said.
	Add(ctx context.Context, p Principal, collection string, body []byte) (Status, error)

	// Status returns what Add returned to the same principal, brought up to
	// date, for at least a day (TAXII 2.1 §4.3); otherwise ErrNotFound.
	Status(ctx context.Context, p Principal, id string) (Status, error)
}

// Page is a part of a collection. The handler changes nothing in it and reads
// it until its answer is written, so a Backend may keep and share pages.
type Page struct {
	Entries []Entry

	// Joined may hold the Bytes of all Entries, in order, separated by single
	// commas. The handler then writes it as it is and reads nothing of Entries
	// but their number and the Added of the first and the last.
	Joined []byte

	// Release, if set, is called once when the answer is written, whatever the
	// answer was: the bytes are the Backend's again.
	Release func()

	// More says that entries follow which Next leads to. A page may be shorter
	// than the limit, even empty, and still have More.
	More bool
	Next string // opaque; set whenever More is
}

// Entry is one object version as a collection holds it.
type Entry struct {
	ID        string
	Version   string // the text of modified, digit for digit; else created; else a timestamp of the backend's
	Added     string // TAXII timestamp; unique and strictly increasing in a collection
	MediaType string // one of the collection's media types; "" is STIXMediaType
	Bytes     []byte // one JSON object, served as it is
}

func (e Entry) mediaType() string {
	if e.MediaType == "" {
		return STIXMediaType
	}
	return e.MediaType
}
