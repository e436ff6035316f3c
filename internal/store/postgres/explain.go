package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// errStandby says that a server is no primary. During a failover another try
// may find the new one.
var errStandby = errors.New("a standby, or set to read only")

// primary refuses a standby.
func primary(ctx context.Context, c *pgconn.PgConn) error {
	if err := pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, c); err != nil {
		if c.IsClosed() || ctx.Err() != nil {
			return err
		}
		return errStandby
	}
	return nil
}

// explain puts before an error of opening what an operator can do about it.
func explain(err error) error {
	var refused refusal
	if err == nil || errors.As(err, &refused) {
		return err
	}
	if what := remedyFor(err); what != "" {
		return fmt.Errorf("%s (%w)", what, err)
	}
	return err
}

// remedies are what an operator can do, by the server's code (PostgreSQL 15
// documentation, appendix A).
var remedies = map[string]string{
	"28P01": "the server refuses the user or the password: put the right ones into the setting, PGPASSWORD or a password file",
	"28000": "the server does not let this user in from here: see the user, the password and the server's pg_hba.conf",
	"3D000": "the server has no database of that name: make it (createdb), or name another",
	"42501": "this user may not do what an office must: make the user the owner of the database, or grant CREATE on its schema",
	"53300": "the server has no connection left for this process: raise its max_connections, or lower readers and writers in [limits]",
	"57P03": "the server is starting or stopping: try again",
}

func remedyFor(err error) string {
	var server *pgconn.PgError
	var dial *net.OpError
	var name *net.DNSError
	switch {
	case errors.Is(err, errStandby):
		return "it is a standby, or set to read only, and an office needs the primary: name that one, or all servers of the cluster (host=a,b)"
	case errors.As(err, &server):
		return remedies[server.Code]
	case errors.As(err, &name):
		return "the host is not known: see its name"
	case errors.As(err, &dial), errors.Is(err, context.DeadlineExceeded):
		return "no server answers there: see that it runs, its host and its port"
	}
	return ""
}
