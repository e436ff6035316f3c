package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Name says which database a URL or a string of settings names: the database
// and its hosts, without user and password. Its errors quote nothing of it.
func Name(database string) (string, error) {
	c, err := parse(database)
	if err != nil {
		return "", err
	}
	return nameOf(c), nil
}

// IsDatabase reports whether a text is meant as the name of a database, and not
// of a file.
func IsDatabase(text string) bool {
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		return true
	}
	setting, _, found := strings.Cut(text, "=")
	return found && slices.Contains([]string{"host", "hostaddr", "port", "dbname", "user", "password", "service"}, strings.TrimSpace(setting))
}

// errAddress is said of whatever cannot be read: a password may lie anywhere
// in it.
const errAddress = refusal("it cannot be read as postgres://user@host/database or as host=… user=… dbname=…: in a URL, other characters than letters and digits of a password are written as % and two digits, such as %40 for @")

// parse reads the name of a database. What the driver says of a bad one is not
// passed on, as it quotes pieces of it.
func parse(database string) (*pgxpool.Config, error) {
	if !IsDatabase(database) {
		return nil, errAddress
	}
	c, err := pgxpool.ParseConfig(database)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, refusal(fmt.Sprintf("a file that it names cannot be read: %s: %v", file.Path, file.Err))
	case err != nil:
		return nil, errAddress
	}
	return c, nil
}

const usualPort = 5432

func nameOf(c *pgxpool.Config) string {
	cc := c.ConnConfig
	hosts := []string{hostName(cc.Host, cc.Port)}
	for _, f := range cc.Fallbacks {
		if h := hostName(f.Host, f.Port); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return fmt.Sprintf("%s on %s", cmp.Or(cc.Database, cc.User), strings.Join(hosts, " and "))
}

func hostName(host string, port uint16) string {
	if port == usualPort || strings.HasPrefix(host, "/") {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
