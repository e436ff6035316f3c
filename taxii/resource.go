package taxii

import "github.com/go-json-experiment/json/jsontext"

// Every resource keeps the members it does not know in Other, a JSON object
// (TAXII 2.1 §7.1: custom properties are named x_…). A server may set it; the
// client fills it with what came.

// Discovery is the discovery resource (TAXII 2.1 §4.1.1).
type Discovery struct {
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Contact     string         `json:"contact,omitempty"`
	Default     string         `json:"default,omitempty"`   // one of APIRoots
	APIRoots    []string       `json:"api_roots,omitempty"` // absolute https URLs, or paths of this host
	Other       jsontext.Value `json:",embed"`
}

// APIRoot is the API root resource (TAXII 2.1 §4.2.1).
type APIRoot struct {
	Title            string         `json:"title"`
	Description      string         `json:"description,omitempty"`
	Versions         []string       `json:"versions"`           // media types; MediaType is among them
	MaxContentLength int64          `json:"max_content_length"` // bytes of a request's body, > 0
	Other            jsontext.Value `json:",embed"`
}

// Collection is the collection resource (TAXII 2.1 §5.2.1), as one principal
// sees it.
type Collection struct {
	ID          string         `json:"id"` // UUIDv4
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Alias       string         `json:"alias,omitempty"` // unique in the API root; case matters
	CanRead     bool           `json:"can_read"`
	CanWrite    bool           `json:"can_write"`
	MediaTypes  []string       `json:"media_types,omitempty"` // never depends on what is stored
	Other       jsontext.Value `json:",embed"`
}

// Collections is the collections resource (TAXII 2.1 §5.1.1).
type Collections struct {
	Collections []Collection   `json:"collections,omitempty"`
	Other       jsontext.Value `json:",embed"`
}

// States of a Status.
const (
	Pending  = "pending"
	Complete = "complete"
)

// Status is the status resource (TAXII 2.1 §4.3.1): what became of the objects
// of one POST. The three counts add up to TotalCount, and each list is either
// absent or as long as its count.
type Status struct {
	ID               string         `json:"id"`                          // UUIDv4
	Status           string         `json:"status"`                      // Pending or Complete; after Complete nothing changes
	RequestTimestamp string         `json:"request_timestamp,omitempty"` // TAXII timestamp
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
	Pendings         []StatusDetail `json:"pendings,omitempty"`
	Other            jsontext.Value `json:",embed"`
}

// StatusDetail speaks of one object of a POST (TAXII 2.1 §4.3.1).
type StatusDetail struct {
	ID      string         `json:"id"`
	Version string         `json:"version"` // modified, else created, else what the server says
	Message string         `json:"message,omitempty"`
	Other   jsontext.Value `json:",embed"`
}

// Envelope is the envelope resource (TAXII 2.1 §3.7): one page of objects, each
// as the bytes it came in.
type Envelope struct {
	More    bool             `json:"more,omitzero"`
	Next    string           `json:"next,omitempty"`
	Objects []jsontext.Value `json:"objects,omitempty"`
	Other   jsontext.Value   `json:",embed"`

	// From the headers X-TAXII-Date-Added-First and -Last, as sent; "" if absent.
	AddedFirst string `json:"-"`
	AddedLast  string `json:"-"`
}

// Manifest is the manifest resource (TAXII 2.1 §5.3.1). TAXII 2.1 gives it no
// next: it is paged by added_after.
type Manifest struct {
	More    bool             `json:"more,omitzero"`
	Objects []ManifestRecord `json:"objects,omitempty"`
	Other   jsontext.Value   `json:",embed"`

	AddedFirst string `json:"-"`
	AddedLast  string `json:"-"`
}

// ManifestRecord describes one object version (TAXII 2.1 §5.3.1).
type ManifestRecord struct {
	ID        string         `json:"id"`
	DateAdded string         `json:"date_added"` // TAXII timestamp
	Version   string         `json:"version"`    // the text of modified, digit for digit
	MediaType string         `json:"media_type,omitempty"`
	Other     jsontext.Value `json:",embed"`
}

// Versions is the versions resource (TAXII 2.1 §5.8.1).
type Versions struct {
	More     bool           `json:"more,omitzero"`
	Versions []string       `json:"versions,omitempty"`
	Other    jsontext.Value `json:",embed"`

	AddedFirst string `json:"-"`
	AddedLast  string `json:"-"`
}

// ErrorMessage is the body of every answer from 400 on (TAXII 2.1 §3.6.1).
type ErrorMessage struct {
	Title           string            `json:"title"`
	Description     string            `json:"description,omitempty"`
	ErrorID         string            `json:"error_id,omitempty"`
	ErrorCode       string            `json:"error_code,omitempty"`
	HTTPStatus      string            `json:"http_status,omitempty"` // "404"
	ExternalDetails string            `json:"external_details,omitempty"`
	Details         map[string]string `json:"details,omitempty"`
	Other           jsontext.Value    `json:",embed"`
}
