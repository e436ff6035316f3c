// Package point names the moments at which a fault campaign ends the program.
//
// # Invariants
//
//   - A program that is built without the tag faults holds none of this: At is
//     empty there and compiles to nothing.
//   - Built with it, At ends the process as kill -9 does, without deferred calls
//     and without a last write, at the moment that LIAISON_FAULT_POINT names: a
//     name of All, and after a colon how many passes go by before.
//   - Every name of All is passed in exactly one place of the program, and every
//     place has its name in All.
//
// # What it does not do
//
// It fails no operation (package disk does) and checks nothing: package fault
// does.
package point

// Env is the variable that names the point.
const Env = "LIAISON_FAULT_POINT"

// All are the points, in the order in which a note meets them.
var All = []string{
	// Start: the store is made or opened, migrated, recovered.
	"sqlite.migrated",
	"sqlite.database-made",
	"sqlite.database-renamed",
	"sqlite.before-recovery",
	"sqlite.recovered",
	"office.store-opened",
	"office.opened",

	// One transaction of the journal.
	"journal.begun",
	"journal.anchored-empty",
	"journal.appended",
	"journal.before-commit",
	"sqlite.before-commit",
	"sqlite.committed",
	"journal.committed-not-published",
	"journal.published-not-answered",
	"exchange.accepted-not-answered",

	// The write-ahead log is moved into the database; the store is closed.
	"sqlite.before-checkpoint",
	"sqlite.checkpointed",
	"sqlite.before-close",
	"sqlite.closed",

	// A checkpoint is signed and kept outside the store.
	"checkpoint.verified-not-signed",
	"checkpoint.signed-not-saved",
	"durable.before-rename",
	"durable.renamed",
	"checkpoint.saved-not-given",

	// A page of a neighbour is committed with its position.
	"relay.page-verified",
	"desk.page-decided",
	"desk.before-position",
	"desk.position-put",
	"desk.page-committed",
	"relay.accepted-not-acknowledged",

	// The operator's changes.
	"desk.control-committed-not-folded",
	"desk.control-folded-not-answered",
	"office.account-changed",

	// An erasure, and what frees the files of what was erased.
	"journal.erased-not-committed",
	"journal.before-scrub",
	"journal.scrubbed",
}
