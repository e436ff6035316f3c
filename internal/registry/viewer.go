package registry

import (
	"fmt"
	"slices"

	"github.com/liaison-office/liaison"
)

// AccountRole is what an account may do at its office.
type AccountRole string

// The roles of accounts.
const (
	MayRead    AccountRole = "read"
	MayWrite   AccountRole = "write"
	MayRelease AccountRole = "release"
	MayChair   AccountRole = "chair"
	MayOperate AccountRole = "operate"
)

// Account is a person or a machine that acts for a party at this office. It is
// an office-local record, not an object: never logged, never relayed.
type Account struct {
	Name     string          `json:"name"`
	By       liaison.Party   `json:"by"`
	For      liaison.Party   `json:"for,omitzero"` // the party By acts for here
	Roles    []AccountRole   `json:"roles"`
	Version  uint64          `json:"version"` // grows with every change of the record
	Disabled bool            `json:"disabled,omitzero"`
	Created  liaison.Instant `json:"created,omitzero"`
}

// Has reports whether the account has a role.
func (a *Account) Has(r AccountRole) bool { return slices.Contains(a.Roles, r) }

type viewerKind uint8

const (
	nobody viewerKind = iota
	account
	neighbour
	operator
)

// Viewer is who is asking. Only authentication makes one: rooms hold it, pass
// it on and cannot build it. The zero Viewer is nobody: it sees what is public.
type Viewer struct {
	kind    viewerKind
	account Account
	office  liaison.Office // the neighbour, or where the account is
}

// Nobody is who has not logged in.
func Nobody() Viewer { return Viewer{} }

// LoggedIn is the holder of an account at an office.
func LoggedIn(a Account, at liaison.Office) Viewer {
	return Viewer{kind: account, account: a, office: at}
}

// Neighbour is an office at the other end of a relay stream.
func Neighbour(o liaison.Office) Viewer { return Viewer{kind: neighbour, office: o} }

// Operator is who holds this office's local socket or its folder.
func Operator(here liaison.Office) Viewer { return Viewer{kind: operator, office: here} }

// IsNobody reports whether nobody is logged in.
func (v Viewer) IsNobody() bool { return v.kind == nobody }

// Account returns the account, if one is logged in.
func (v Viewer) Account() (Account, bool) { return v.account, v.kind == account }

// Neighbour returns the neighbouring office, if the viewer is one.
func (v Viewer) Neighbour() (liaison.Office, bool) { return v.office, v.kind == neighbour }

// IsOperator reports whether the viewer runs this office.
func (v Viewer) IsOperator() bool { return v.kind == operator }

// Principal names the viewer in sealed cursors, status resources and audit
// lines; two viewers with the same principal are the same.
func (v Viewer) Principal() string {
	switch v.kind {
	case account:
		return "account:" + v.account.Name
	case neighbour:
		return "office:" + string(v.office)
	case operator:
		return "operator"
	}
	return "nobody"
}

// String describes the viewer for logs.
func (v Viewer) String() string {
	if v.kind == account && v.account.For != "" {
		return fmt.Sprintf("%s (%s for %s)", v.Principal(), v.account.By, v.account.For)
	}
	return v.Principal()
}
