-- key = collections.num << 40 | index: a range of a log is one walk of an index.
-- What was given is kept as bytea: it compares byte by byte.

-- One row: the number of the last migration. A transaction holds this table against
-- a migration, and an update that is alone holds it against all other updates.
CREATE TABLE liaison (
	version integer NOT NULL
);

-- The logs and where each ends. The row is the lock of its log. An entry that
-- opens a generation raises the number; num stays. size 0: the collection has no
-- entries.
CREATE TABLE collections (
	num        bigint  GENERATED ALWAYS AS IDENTITY (MAXVALUE 8388607) PRIMARY KEY,
	id         bytea   NOT NULL,
	generation integer NOT NULL DEFAULT 1,
	size       bigint  NOT NULL DEFAULT 0,
	added      bigint  NOT NULL DEFAULT 0,
	UNIQUE (id, generation)
) WITH (fillfactor = 50);

-- What a page of TAXII or a manifest needs, and nothing else between the rows.
CREATE TABLE objects (
	key     bigint PRIMARY KEY,
	added   bigint NOT NULL,
	kind    bytea  NOT NULL,
	id      bytea  NOT NULL,
	version bytea  NOT NULL,
	type    bytea  NOT NULL,
	bytes   bytea
);

-- What relay, receipts and verification need. hashes are the Merkle hashes the
-- leaf completes, 32 bytes each, level 0 first. act_h is eight bytes of acthash:
-- the row says whether it is meant.
CREATE TABLE proofs (
	key     bigint PRIMARY KEY,
	act_h   bigint,
	acthash bytea,
	salt    bytea,
	leaf    bytea,
	act     bytea,
	batch   bytea,
	consent bytea,
	hops    bytea,
	hashes  bytea
);
CREATE INDEX proofs_act ON proofs (act_h, key) WHERE act_h IS NOT NULL;

-- Superseded entries, and the index of what superseded each.
CREATE TABLE gaps (
	key bigint PRIMARY KEY,
	by  bigint NOT NULL
);

-- Where an object id occurs. h is eight bytes of its digest: the row it leads to
-- says whether it is meant. Of one object, hidden comes before the versions: what
-- is in sight is found at once among many.
CREATE TABLE ids (
	h      bigint  NOT NULL,
	hidden boolean NOT NULL,
	same   bigint  NOT NULL,
	key    bigint  NOT NULL,
	PRIMARY KEY (h, hidden, same, key)
);

CREATE TABLE state (
	bucket bytea NOT NULL,
	key    bytea NOT NULL,
	value  bytea NOT NULL,
	PRIMARY KEY (bucket, key)
);

-- The last transaction of each writer. After a connection was lost during a
-- COMMIT, the row says whether there was one (commit.go).
CREATE TABLE commits (
	writer bytea  PRIMARY KEY,
	number bigint NOT NULL,
	at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
