-- One row: the number of the last migration.
CREATE TABLE liaison_anchors (
	version integer NOT NULL
);

-- The newest signed checkpoint of each log of each office, as it was signed. size
-- and root are its own: they decide whether a further one may take its place.
CREATE TABLE anchors (
	office     text    NOT NULL COLLATE "C",
	collection bytea   NOT NULL,
	generation bigint  NOT NULL,
	size       bigint  NOT NULL,
	root       bytea   NOT NULL,
	note       text    NOT NULL,
	at         timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (office, collection, generation)
) WITH (fillfactor = 50);
