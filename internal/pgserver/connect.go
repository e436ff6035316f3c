package pgserver

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// URL names the server's database "postgres" and its owner, with further
// parameters "name=value", which may name others.
func (s *Server) URL(parameters ...string) string {
	if !s.config.TCP {
		return URL([]*Server{s}, parameters...)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, s.password), Host: fmt.Sprintf("127.0.0.1:%d", s.port), Path: "/postgres"}
	q := url.Values{}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		if name == "user" {
			u.User = url.UserPassword(value, s.password)
			continue
		}
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// URL names the same of whichever of several servers is the primary, by their
// sockets.
func URL(servers []*Server, parameters ...string) string {
	hosts, ports := make([]string, len(servers)), make([]string, len(servers))
	for i, s := range servers {
		hosts[i], ports[i] = s.dir, fmt.Sprint(s.port)
	}
	q := url.Values{"host": {strings.Join(hosts, ",")}, "port": {strings.Join(ports, ",")}, "user": {User}}
	if len(servers) > 1 {
		q.Set("target_session_attrs", "read-write")
	}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		q.Set(name, value)
	}
	return "postgres:///postgres?" + q.Encode()
}

// Connect opens a session by the socket, to be closed by the caller.
func (s *Server) Connect(ctx context.Context, parameters ...string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, URL([]*Server{s}, append([]string{"application_name=pgserver"}, parameters...)...))
}

// Exec runs statements, one after the other, in a session of their own.
func (s *Server) Exec(ctx context.Context, statements ...string) error {
	c, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// Query reads one value.
func (s *Server) Query(ctx context.Context, sql string, into any) error {
	c, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if err := c.QueryRow(ctx, sql).Scan(into); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// Until asks until the answer is true.
func (s *Server) Until(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	for yes := false; ; {
		if err = c.QueryRow(ctx, sql).Scan(&yes); err == nil && yes {
			return nil
		}
		if err == nil {
			err = sleep(ctx)
		}
		if err != nil {
			return fmt.Errorf("it never came: %s: %w", strings.Join(strings.Fields(sql), " "), err)
		}
	}
}

// sleep passes a moment where there is nothing to wait on.
func sleep(ctx context.Context) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Schema makes a schema of the database "postgres" and returns a URL that names
// it. Schemas of one database hear each other's NOTIFY and meet each other's
// advisory locks.
func (s *Server) Schema(ctx context.Context) (string, error) {
	name := s.name("s")
	return s.URL("search_path=" + name), s.Exec(ctx, "CREATE SCHEMA "+name)
}

// Database makes a database and returns a URL that names it and its owner.
func (s *Server) Database(ctx context.Context) (string, error) {
	name := s.name("d")
	return s.URL(DatabaseOf(name)...), s.NewDatabase(ctx, name)
}

// NewDatabase makes a database and an owner of the same name, who may do nothing
// else and has the password of the server.
func (s *Server) NewDatabase(ctx context.Context, name string) error {
	return s.Exec(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, s.password), fmt.Sprintf("CREATE DATABASE %[1]s OWNER %[1]s", name))
}

// DatabaseOf are the parameters of a URL that name a database of NewDatabase.
func DatabaseOf(name string) []string { return []string{"dbname=" + name, "user=" + name} }

// name makes a name for what a test owns.
func (s *Server) name(letter string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names++
	return fmt.Sprintf("%s%d", letter, s.names)
}
