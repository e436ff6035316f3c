// Package floorplan states which package may import which, as data, and which
// packages there are. Its test holds the whole module to it: a package that is
// missing here, an import that is not allowed, or a package without an opening
// comment fails.
//
// It does nothing at run time and nothing imports it.
package floorplan

// Anything lets a package import any other of the module.
const Anything = "*"

// Rooms maps a package, by its path below the module, to the packages of the
// module it may import outside its tests. "store" engines are listed one by
// one, so that nothing but the assembly can open one.
var Rooms = map[string][]string{
	// The public library.
	"stix":         {"stix/pattern"},
	"stix/pattern": {},
	"":             {"stix"}, // the words
	"ledger":       {""},
	"taxii":        {"stix"},

	// Cellar.
	"internal/durable":         {"internal/fault/point", "internal/fault/disk"},
	"internal/store":           {""},
	"internal/store/storetest": {"", "internal/store"},
	"internal/store/backup":    {"", "internal/store"},
	"internal/store/sqlite":    {"", "internal/store", "internal/durable", "internal/fault/point", "internal/fault/disk", "internal/fault/diskvfs"},
	"internal/store/postgres":  {"", "ledger", "internal/store"},

	"internal/filelock": {},

	// Ground.
	"internal/registry": {"", "stix", "ledger"},
	"internal/release":  {"", "stix"},
	"internal/journal":  {"", "stix", "ledger", "internal/store", "internal/filelock", "internal/durable", "internal/fault/point"},

	// Desk.
	"internal/desk": {"", "stix", "ledger", "internal/registry", "internal/release", "internal/journal", "internal/store", "internal/fault/point"},

	// Rooms: they know the desk, never each other.
	"internal/exchange": {"", "stix", "taxii", "ledger", "internal/desk", "internal/fault/point"},
	"internal/relay":    {"", "stix", "taxii", "ledger", "internal/desk", "internal/durable", "internal/fault/point"},
	"internal/intake":   {"", "stix", "taxii", "ledger", "internal/desk"},

	// Top.
	"internal/office":    {Anything},
	"internal/demo":      {Anything},
	"internal/floorplan": {},
	"cmd/liaison":        {Anything},

	// Tools for the people who build the project; nothing imports them.
	"tools/bench":            {Anything},
	"tools/faults":           {Anything},
	"tools/pgserver":         {"internal/pgserver"},
	"tools/vectors/generate": {Anything},
	"tools/vectors/sample":   {"", "stix", "ledger"},
	"tools/views":            {"stix"},

	// What breaks offices on purpose. The floors may name their points; At is empty
	// without the tag faults.
	"internal/fault":         {Anything},
	"internal/fault/point":   {},
	"internal/fault/disk":    {},
	"internal/fault/diskvfs": {"internal/fault/disk"},

	// Test help that several packages share; only tests and tools import it.
	"internal/pgserver":        {},
	"internal/pgserver/pgtest": {"internal/pgserver"},
	"internal/desk/desktest":   {Anything},
	"internal/corpora":         {},
}

// Engines may be imported by the assembly and by tools, by nobody else.
var Engines = []string{"internal/store/sqlite", "internal/store/postgres"}

// Assemblies may import engines.
var Assemblies = []string{"internal/office", "tools/bench", "internal/desk/desktest"}
