package pgserver

import (
	"context"
	"fmt"
	"os"
)

// Standby makes a server that follows s, from a copy of it, and starts it. It
// returns when the standby has caught up with what s had.
func (s *Server) Standby(ctx context.Context, config Config) (*Server, error) {
	standby, err := prepare(config)
	if err != nil {
		return nil, err
	}
	standby.password = s.password
	if err = standby.Follow(ctx, s); err != nil {
		standby.Close()
		return nil, err
	}
	return standby, nil
}

// Follow makes s, which does not run, a standby of a primary: what it holds is
// replaced by a copy. It returns when it has caught up.
func (s *Server) Follow(ctx context.Context, primary *Server) error {
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	from := fmt.Sprintf("host=%s port=%d user=%s", primary.dir, primary.port, User)
	err := s.Tool(ctx, "pg_basebackup", "-d", from, "-D", s.data(), "-X", "stream", "-c", "fast", "-R", "--no-sync")
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	return primary.CaughtUp(ctx)
}

// CaughtUp waits until a standby of s shows all that s does.
func (s *Server) CaughtUp(ctx context.Context) error {
	return s.Until(ctx, "SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()")
}

// Synchronous makes every COMMIT of s wait until a standby shows what was
// committed.
func (s *Server) Synchronous(ctx context.Context) error {
	err := s.Exec(ctx, "ALTER SYSTEM SET synchronous_commit = remote_apply", "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	if err != nil {
		return err
	}
	return s.Until(ctx, "SELECT count(*) > 0 AND current_setting('synchronous_commit') = 'remote_apply' FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')")
}

// CutOff ends what a standby gets from its primary, and returns when the primary
// knows.
func (s *Server) CutOff(ctx context.Context, primary *Server) error {
	if err := s.Exec(ctx, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return primary.Until(ctx, "SELECT count(*) = 0 FROM pg_stat_replication")
}

// Promote makes a standby the primary, which waits for no standby of its own, and
// returns when it takes writes.
func (s *Server) Promote(ctx context.Context) error {
	err := s.Until(ctx, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, 60) ELSE true END AND NOT pg_is_in_recovery()")
	if err != nil {
		return err
	}
	if err := s.Exec(ctx, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return s.Until(ctx, "SELECT current_setting('synchronous_standby_names') = ''")
}
