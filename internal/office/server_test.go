package office_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison/internal/office"
)

// serving runs an office on addresses of its own.
func serving(t *testing.T, dir string) *office.Office {
	t.Helper()
	o, err := office.Open(t.Context(), dir, office.Options{})
	must(t, err)
	o.Config.Exchange, o.Config.Relay = "127.0.0.1:0", "127.0.0.1:0"
	must(t, o.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
		must(t, o.Close())
	})
	return o
}

// TestARequestWithTwoLengthsIsTheLastOfItsConnection (RFC 9112 §6.1): what a
// proxy took for the rest of it is not read as the next request.
func TestARequestWithTwoLengthsIsTheLastOfItsConnection(t *testing.T) {
	b := newBase(t)
	o := serving(t, b.dir)
	exchange, _ := o.Addresses()
	const next = "GET /taxii2/ HTTP/1.1\r\nHost: hq\r\n\r\n"
	for name, k := range map[string]struct {
		head string
		kept bool
	}{
		"both":                {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"both, the other way": {"Transfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n0\r\n\r\n", false},
		"the length alone":    {"Content-Length: 2\r\n\r\n{}", true},
	} {
		for _, path := range []string{"POST /taxii2/root/collections/" + b.collections[observed] + "/objects/", "GET /receipts/" + b.collections[observed] + "/0/"} {
			conn, err := net.Dial("tcp", exchange)
			must(t, err)
			must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			_, err = io.WriteString(conn, path+" HTTP/1.1\r\nHost: hq\r\nAuthorization: Bearer "+b.token["NATO"]+
				"\r\nContent-Type: application/taxii+json;version=2.1\r\n"+k.head+next)
			must(t, err)
			in := bufio.NewReader(conn)
			first, err := http.ReadResponse(in, nil)
			must(t, err)
			_, err = io.Copy(io.Discard, first.Body)
			must(t, err)
			if first.StatusCode >= 500 {
				t.Errorf("%s: %s is answered with %d", name, path, first.StatusCode)
			}
			rest, err := io.ReadAll(io.LimitReader(in, 9))
			must(t, err)
			if got := strings.HasPrefix(string(rest), "HTTP/1.1"); got != k.kept {
				t.Errorf("%s: %s: another answer on the connection: %v (%q)", name, path, got, rest)
			}
			conn.Close()
		}
	}
}
