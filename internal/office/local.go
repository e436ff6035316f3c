package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison/internal/filelock"
)

// maxOperatorBody bounds a request of the operator.
const maxOperatorBody = 64 << 20

// operation is one method of Operator over JSON.
type operation func(ctx context.Context, body []byte) (any, error)

func op[Q, R any](fn func(context.Context, Q) (R, error)) operation {
	return func(ctx context.Context, body []byte) (any, error) {
		var q Q
		if err := json.Unmarshal(body, &q, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		return fn(ctx, q)
	}
}

const (
	opFsck    = "fsck"        // only reads
	opStats   = "store/stats" // only reads
	opSchema  = "store/schema"
	opControl = "control/add"
	opCard    = "card"
)

// operations names every operation, for the socket and for commands.
func (p *Operator) operations() map[string]operation {
	return map[string]operation{
		"account/add":      op(p.AddAccount),
		"account/list":     op(p.Accounts),
		"account/password": op(p.SetPassword),
		"account/disable":  op(p.DisableAccount),
		"account/enable":   op(p.EnableAccount),
		"account/token":    op(p.NewToken),
		opControl:          op(p.AddControl),
		"programme/list":   op(p.Programmes),
		"party/list":       op(p.Parties),
		"explain":          op(p.Explain),
		"receipt":          op(p.Receipt),
		"erase":            op(p.Erase),
		"undelivered":      op(p.Undelivered),
		"peer/list":        op(p.Peers),
		"peer/resume":      op(p.ResumePeer),
		"log/list":         op(p.Logs),
		"log/reopen":       op(p.ReopenLog),
		opCard:             op(p.Card),
		opFsck:             op(p.Fsck),
		opStats:            op(p.Stats),
		opSchema:           op(p.Schema),
		"store/compact":    op(p.Compact),
	}
}

// Do runs an operation by its name, on an open office.
func (p *Operator) Do(ctx context.Context, name string, request, reply any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	out, err := p.do(ctx, name, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, reply)
}

func (p *Operator) do(ctx context.Context, name string, body []byte) ([]byte, error) {
	run, ok := p.operations()[name]
	if !ok {
		return nil, fmt.Errorf("no operation %.60q", name)
	}
	r, err := run(ctx, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// handler serves the operations on the local socket until ctx ends: POST
// /<name>. What fails after that, the journal having stopped too, is 503: it is
// to be asked again.
func (p *Operator) handler(ctx context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		working, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		if r.URL.Path == "/"+opBackup {
			p.serveBackup(working, w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOperatorBody))
		if err == nil {
			body, err = p.do(working, strings.TrimPrefix(r.URL.Path, "/"), body)
		}
		if err != nil {
			status := http.StatusUnprocessableEntity
			if ctx.Err() != nil {
				status = http.StatusServiceUnavailable
			}
			w.WriteHeader(status)
			body = []byte(err.Error())
		}
		if _, err := w.Write(body); err != nil {
			p.o.Log.Debug("reply to the operator not sent", "err", err)
		}
	})
}

// socketPath is where an office's socket is.
func socketPath(dir string) string { return filepath.Join(dir, SocketFile) }

// maxSocketPath is what the name of a socket may have on every Unix, in bytes.
const maxSocketPath = 100

// atSocket calls fn with a name of the folder's socket that is short enough:
// in a deep folder, through a link in a private temporary one.
func atSocket(dir string, fn func(path string) error) error {
	if path := socketPath(dir); len(path) <= maxSocketPath {
		return fn(path)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	short, err := os.MkdirTemp("", "liaison-")
	if err != nil {
		return err
	}
	link := filepath.Join(short, "office")
	if err = os.Symlink(dir, link); err == nil {
		err = fn(socketPath(link))
	}
	return errors.Join(err, os.RemoveAll(short))
}

// operatorSocket is the listening socket; closing it removes it.
type operatorSocket struct {
	*net.UnixListener
	path string
	lock *filelock.Lock // nil where files cannot be locked
}

func (s *operatorSocket) Close() (err error) {
	if s.UnixListener != nil {
		err = s.UnixListener.Close()
	}
	if e := os.Remove(s.path); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Release())
		s.lock = nil
	}
	return err
}

// listenOperator opens the socket. Its lock shows that no other process serves
// from this folder, so a socket that is there is a leftover.
func (o *Office) listenOperator() (net.Listener, error) {
	s := &operatorSocket{path: socketPath(o.Dir)}
	var err error
	switch s.lock, err = filelock.Try(s.path + ".lock"); {
	case errors.Is(err, filelock.ErrHeld):
		return nil, fmt.Errorf("an office serves from this folder already: each process needs a folder of its own (%w)", err)
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		return nil, err
	}
	if err := s.listen(o.Dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *operatorSocket) listen(dir string) error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := atSocket(dir, func(path string) (err error) {
		s.UnixListener, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return fmt.Errorf("the operator's socket: %w", err)
	}
	s.SetUnlinkOnClose(false) // by this name it is gone already, if it is a link's
	return os.Chmod(s.path, 0o600)
}

// dialOperator connects to the office that serves a folder.
func dialOperator(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = atSocket(dir, func(path string) (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}

// hasHistory reports whether the office of dir has ever stored or signed
// anything. If not, there is nothing to check, and opening it makes its store. A
// database knows for itself.
func (c *Config) hasHistory(dir string) bool {
	return c.Store != "" || c.Anchor.isDatabase() || filled(filepath.Join(dir, storeDir)) || filled(c.anchorDir(dir))
}

// filled reports whether a folder holds anything, or cannot be looked into.
func filled(dir string) bool {
	files, err := os.ReadDir(dir)
	return len(files) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// operatorClient speaks to the office that serves a folder.
func operatorClient(dir string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialOperator(ctx, dir) },
	}}
}

// CallServing runs an operation on an office that is serving from a folder, and
// on no other: where it does not answer, that is the error.
func CallServing(ctx context.Context, dir, name string, request, reply any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	client := operatorClient(dir)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://office/"+name, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return asked(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return asked(err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		return errors.Join(errStopping, errors.New(string(out)))
	default:
		return errors.New(string(out))
	}
	return json.Unmarshal(out, reply)
}
