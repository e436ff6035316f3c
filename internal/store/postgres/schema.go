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

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock under which one process at a time
// migrates: "LIAI".
const migrationLock = 0x4c494149

// idleWriter is how long the row of a writer that was not closed is kept.
const idleWriter = "7 days"

// adopt brings the database up to date.
func (s *Store) adopt(ctx context.Context) error {
	c, err := s.acquire(ctx, s.writing)
	if err != nil {
		return err
	}
	defer c.Release()
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	err = migrate(ctx, c.Conn())
	if _, e := c.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock)); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "DELETE FROM commits WHERE writer IN (SELECT writer FROM commits WHERE at < now() - $1::text::interval FOR UPDATE SKIP LOCKED)", idleWriter)
	return err
}

// recognise refuses a database that a process that only reads could not use.
func (s *Store) recognise(ctx context.Context) error {
	c, err := s.acquire(ctx, s.reading)
	if err != nil {
		return err
	}
	defer c.Release()
	version, err := identify(ctx, c.Conn())
	switch {
	case err != nil:
		return err
	case version == 0:
		return refusal("there is no store in this database: liaison serve makes one; if there was one, restore the newest backup, or ask the neighbours")
	case version < schemaVersion:
		return refusal(fmt.Sprintf("an older version of liaison has written this store (schema %d; this one knows %d): start the office once", version, schemaVersion))
	}
	return nil
}

func migrate(ctx context.Context, c *pgx.Conn) error {
	version, err := identify(ctx, c)
	if err != nil {
		return err
	}
	for v := version + 1; v <= schemaVersion; v++ {
		if err := migrateTo(ctx, c, v); err != nil {
			return fmt.Errorf("migration %d: %w", v, err)
		}
	}
	return nil
}

// migrateTo applies one migration in a transaction of its own, which waits for
// those that hold the schema.
func migrateTo(ctx context.Context, c *pgx.Conn, v int) error {
	sql, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", v))
	if err != nil {
		return err
	}
	script, said := string(sql), fmt.Sprintf("UPDATE liaison SET version = %d", v)
	if v == 1 {
		said = "INSERT INTO liaison VALUES (1)"
	} else {
		script = "LOCK TABLE liaison IN ACCESS EXCLUSIVE MODE;\n" + script
	}
	_, err = run(ctx, c, "BEGIN;\n"+script+";\n"+said+";\nCOMMIT")
	if err != nil {
		run(context.WithoutCancel(ctx), c, "ROLLBACK")
	}
	return err
}

// identify returns the number of the schema; 0 where there are no tables yet.
func identify(ctx context.Context, c *pgx.Conn) (version int, err error) {
	var (
		schema *string
		ours   bool
		tables int
	)
	err = c.QueryRow(ctx, `SELECT current_schema()::text, count(*) FILTER (WHERE relname = 'liaison') > 0, count(*)
		FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = to_regnamespace(quote_ident(current_schema()))`).Scan(&schema, &ours, &tables)
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
	if err := c.QueryRow(ctx, "SELECT version FROM liaison").Scan(&version); err != nil {
		return 0, err
	}
	return version, newer(version)
}

func newer(version int) error {
	if version > schemaVersion {
		return refusal(fmt.Sprintf("a newer version of liaison has written this store (schema %d; this one knows %d): use that version", version, schemaVersion))
	}
	return nil
}

// knownSchema refuses what was migrated while this process was running.
func knownSchema(text string) error {
	version, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return newer(version)
}
