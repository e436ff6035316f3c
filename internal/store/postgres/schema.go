package postgres

import (
	"context"
	"embed"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// schemaVersion is the number of the last migration. Migrations are forward
// only, and a released one is never edited.
const schemaVersion = 2

//go:embed migrations/*.sql anchors/*.sql
var migrations embed.FS

// schema is a set of tables with its migrations.
type schema struct {
	files   string // the folder of the migrations: 0001.sql, 0002.sql, …
	version int    // the number of the last
	table   string // its one row says the number of the last one that was applied
	is      string // for people
}

var (
	storeSchema  = schema{"migrations", schemaVersion, "liaison", "store"}
	anchorSchema = schema{"anchors", 1, "liaison_anchors", "place of checkpoints"}
)

// migrationLock is the advisory lock under which one process at a time
// migrates: "LIAI".
const migrationLock = 0x4c494149

// idleWriter is how long the row of a writer that was not closed is kept.
const idleWriter = "7 days"

// Schema returns the number of the last migration of the store in a database,
// which is 0 if there is none, and of the newest that this version knows. It
// changes nothing.
func Schema(ctx context.Context, database string) (version, newest int, err error) {
	config, err := parse(database)
	if err != nil {
		return 0, 0, err
	}
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err == nil {
		defer c.Close(context.WithoutCancel(ctx))
		version, err = storeSchema.identify(ctx, c)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("open store %s: %w", nameOf(config), explain(err))
	}
	return version, schemaVersion, nil
}

// adopt brings the database up to date.
func (s *Store) adopt(ctx context.Context) error {
	c, err := s.acquire(ctx, s.writing)
	if err != nil {
		return err
	}
	defer c.Release()
	if err := storeSchema.adopt(ctx, c.Conn()); err != nil {
		return named(ctx, c.Conn(), err)
	}
	_, err = c.Exec(ctx, "DELETE FROM commits WHERE writer IN (SELECT writer FROM commits WHERE at < now() - $1::text::interval FOR UPDATE SKIP LOCKED)", idleWriter)
	return named(ctx, c.Conn(), err)
}

// adopt applies the migrations that are missing.
func (m schema) adopt(ctx context.Context, c *pgx.Conn) error {
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	err := m.migrate(ctx, c)
	if _, e := c.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock)); err == nil {
		err = e
	}
	return err
}

// recognise refuses a database that a process that only reads could not use.
func (m schema) recognise(ctx context.Context, c *pgx.Conn) error {
	version, err := m.identify(ctx, c)
	switch {
	case err != nil:
		return named(ctx, c, err)
	case version == 0:
		return refusal(fmt.Sprintf("there is no %s in this database: liaison serve makes one; if there was one, restore the newest backup, or ask the neighbours", m.is))
	case version < m.version:
		return refusal(fmt.Sprintf("an older version of liaison has written this %s (schema %d; this one knows %d): start the office once", m.is, version, m.version))
	}
	return nil
}

func (m schema) migrate(ctx context.Context, c *pgx.Conn) error {
	version, err := m.identify(ctx, c)
	if err != nil {
		return err
	}
	for v := version + 1; v <= m.version; v++ {
		if err := m.migrateTo(ctx, c, v); err != nil {
			return fmt.Errorf("migration %d: %w", v, err)
		}
	}
	return nil
}

// migrateTo applies one migration in a transaction of its own, which waits for
// those that hold the schema.
func (m schema) migrateTo(ctx context.Context, c *pgx.Conn, v int) error {
	sql, err := migrations.ReadFile(fmt.Sprintf("%s/%04d.sql", m.files, v))
	if err != nil {
		return err
	}
	script, said := string(sql), fmt.Sprintf("UPDATE %s SET version = %d", m.table, v)
	if v == 1 {
		said = fmt.Sprintf("INSERT INTO %s VALUES (1)", m.table)
	} else {
		script = "LOCK TABLE " + m.table + " IN ACCESS EXCLUSIVE MODE;\n" + script
	}
	_, err = run(ctx, c, "BEGIN;\n"+script+";\n"+said+";\nCOMMIT")
	if err != nil {
		run(context.WithoutCancel(ctx), c, "ROLLBACK")
	}
	return err
}

// identify returns the number of the schema; 0 where there are no tables yet.
func (m schema) identify(ctx context.Context, c *pgx.Conn) (version int, err error) {
	var (
		schema *string
		ours   bool
		tables int
	)
	err = c.QueryRow(ctx, `SELECT current_schema()::text, count(*) FILTER (WHERE relname = $1) > 0, count(*)
		FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = to_regnamespace(quote_ident(current_schema()))`, m.table).Scan(&schema, &ours, &tables)
	switch {
	case err != nil:
		return 0, err
	case schema == nil:
		return 0, refusal("search_path names no schema that is there: make one, or name another")
	case !ours && tables > 0:
		return 0, refusal(fmt.Sprintf("schema %q holds the tables of another program: name another database, or another schema in search_path", *schema))
	case !ours:
		return 0, nil
	}
	if err := c.QueryRow(ctx, "SELECT version FROM "+m.table).Scan(&version); err != nil {
		return 0, err
	}
	return version, m.newer(version)
}

func (m schema) newer(version int) error {
	if version > m.version {
		return refusal(fmt.Sprintf("a newer version of liaison has written this %s (schema %d; this one knows %d): use that version", m.is, version, m.version))
	}
	return nil
}

// knownSchema refuses what was migrated while this process was running.
func knownSchema(text string) error {
	version, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return storeSchema.newer(version)
}
