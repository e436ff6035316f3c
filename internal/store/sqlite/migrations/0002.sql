-- key = collections.num << 40 | index: a range of a log is one walk of a b-tree.

-- The logs. An entry that opens a generation raises the number; num stays.
CREATE TABLE collections (
	num        INTEGER PRIMARY KEY,
	id         BLOB    NOT NULL,
	generation INTEGER NOT NULL,
	UNIQUE (id, generation)
) STRICT;

-- What a page of TAXII or a manifest needs, and nothing else between the rows.
-- head (head.go) holds added, kind, id, version and type. bytes is last:
-- reading head does not touch it.
CREATE TABLE objects (
	key   INTEGER PRIMARY KEY,
	head  BLOB NOT NULL,
	bytes BLOB
) STRICT;

-- What relay, receipts and verification need.
CREATE TABLE leaves (
	key     INTEGER PRIMARY KEY,
	acthash BLOB,
	salt    BLOB,
	leaf    BLOB,
	act     BLOB,
	batch   BLOB,
	consent BLOB,
	hops    BLOB
) STRICT;

-- The Merkle hashes each leaf completes, 32 bytes each, level 0 first.
CREATE TABLE trees (
	key    INTEGER PRIMARY KEY,
	hashes BLOB NOT NULL
) STRICT;

-- Superseded entries, and the index of what superseded each.
CREATE TABLE gaps (
	key  INTEGER PRIMARY KEY,
	"by" INTEGER NOT NULL
) STRICT;

-- Where an object id and an act hash occur. h is eight bytes of a digest: the
-- rows it leads to say whether they are meant. Of one object, hidden (0 or 1)
-- comes before the versions: what is in sight is found at once among many.
CREATE TABLE ids (
	h      INTEGER NOT NULL,
	hidden INTEGER NOT NULL,
	same   INTEGER NOT NULL,
	key    INTEGER NOT NULL,
	PRIMARY KEY (h, hidden, same, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE acts (
	h   INTEGER NOT NULL,
	key INTEGER NOT NULL,
	PRIMARY KEY (h, key)
) STRICT, WITHOUT ROWID;

-- Buckets and keys are blobs: they compare byte by byte.
CREATE TABLE state (
	bucket BLOB NOT NULL,
	key    BLOB NOT NULL,
	value  BLOB NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
