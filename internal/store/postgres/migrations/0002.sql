-- Of an erased entry kind ends with a zero byte, id, version and type are empty,
-- bytes and salt are NULL, and ids has no row. What they were is still in the
-- files. A row here says that, until the tables were written anew (scrub.go).
CREATE TABLE erasures (
	n  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now()
);

-- ANALYZE would copy what may be erased into pg_statistic.
ALTER TABLE objects
	ALTER id SET STATISTICS 0, ALTER version SET STATISTICS 0, ALTER type SET STATISTICS 0, ALTER bytes SET STATISTICS 0;
ALTER TABLE proofs ALTER salt SET STATISTICS 0;
ALTER TABLE ids ALTER h SET STATISTICS 0, ALTER same SET STATISTICS 0;
ALTER TABLE state ALTER key SET STATISTICS 0, ALTER value SET STATISTICS 0;
