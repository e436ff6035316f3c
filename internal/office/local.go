package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
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

// operations names every operation, for the socket and for commands.
func (p *Operator) operations() map[string]operation {
	return map[string]operation{
		"account/add":      op(p.AddAccount),
		"account/list":     op(p.Accounts),
		"account/password": op(p.SetPassword),
		"account/disable":  op(p.DisableAccount),
		"account/token":    op(p.NewToken),
		"control/add":      op(p.AddControl),
		"programme/list":   op(p.Programmes),
		"party/list":       op(p.Parties),
		"explain":          op(p.Explain),
		"receipt":          op(p.Receipt),
		"undelivered":      op(p.Undelivered),
		"peer/list":        op(p.Peers),
		"card":             op(p.Card),
		"fsck":             op(p.Fsck),
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

// Handler serves the operations on the local socket: POST /<name>.
func (p *Operator) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOperatorBody))
		if err == nil {
			body, err = p.do(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), body)
		}
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			body = []byte(err.Error())
		}
		if _, err := w.Write(body); err != nil {
			p.o.Log.Debug("reply to the operator not sent", "err", err)
		}
	})
}

// socketPath is where an office's socket is.
func socketPath(dir string) string { return filepath.Join(dir, SocketFile) }

// listenOperator opens the socket; the store's lock has shown that no other
// process serves this folder, so a socket that is there is a leftover.
func (o *Office) listenOperator() (net.Listener, error) {
	path := socketPath(o.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("the operator's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Call runs an operation on the office of a folder: over its socket if it is
// serving, otherwise by opening it for as long as the operation takes.
func Call(ctx context.Context, dir, name string, opt Options, request, reply any) error {
	if _, err := LoadConfig(dir); err != nil {
		return err
	}
	if conn, err := net.Dial("unix", socketPath(dir)); err == nil {
		conn.Close()
		return callSocket(ctx, dir, name, request, reply)
	}
	o, err := Open(ctx, dir, opt)
	if err != nil {
		return err
	}
	err = o.Work(ctx, func(ctx context.Context) error { return o.Operator().Do(ctx, name, request, reply) })
	return errors.Join(err, o.Close())
}

func callSocket(ctx context.Context, dir, name string, request, reply any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socketPath(dir))
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://office/"+name, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the serving office: %w", err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("ask the serving office: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(string(out))
	}
	return json.Unmarshal(out, reply)
}
