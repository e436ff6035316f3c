package postgres

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// oldServer answers as a server of another version does, as far as a client
// asks before it goes away.
func oldServer(t *testing.T, version string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, version)
		}
	}()
	return l.Addr().String()
}

func answer(conn net.Conn, version string) {
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for b.Flush() == nil {
		m, err := b.Receive()
		if err != nil {
			return
		}
		q, _ := m.(*pgproto3.Query)
		values := [][]byte{[]byte("off")} // no standby, not read only
		if q != nil && strings.Contains(q.String, "server_version_num") {
			values = [][]byte{[]byte(version), []byte("on"), []byte("on"), []byte("on")}
		}
		fields := make([]pgproto3.FieldDescription, len(values))
		for i := range fields {
			fields[i] = pgproto3.FieldDescription{Name: []byte("column"), DataTypeOID: 25, TypeModifier: -1}
		}
		b.Send(&pgproto3.RowDescription{Fields: fields})
		b.Send(&pgproto3.DataRow{Values: values})
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}
