package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// server says which TAXII server is meant and who asks.
type server struct {
	URL           string `required:"" placeholder:"URL" help:"Discovery address, such as https://hq.example.org/taxii2/."`
	User          string `short:"u" help:"Account name."`
	PasswordStdin bool   `help:"Read the password from standard input instead of LIAISON_PASSWORD."`
	Token         string `env:"LIAISON_TOKEN" help:"Bearer token instead of name and password."`
	AllowHTTP     bool   `help:"Allow http to other machines. Loopback addresses need no permission."`
	Root          string `help:"API root; default: the server's."`
}

func (s *server) client(a *app) (*taxii.Client, string, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, "", fmt.Errorf("--url %q is not an http or https address", s.URL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = taxii.DiscoveryPath
	}
	c := &taxii.Client{Base: u, AllowHTTP: s.AllowHTTP || loopback(u.Hostname()), UserAgent: "liaison/" + version}
	switch {
	case s.Token != "":
		c.Credentials.Token = s.Token
	case s.User != "":
		c.Credentials.User, c.Credentials.Password = s.User, os.Getenv("LIAISON_PASSWORD")
		if s.PasswordStdin {
			b, err := io.ReadAll(io.LimitReader(a.in, 4096))
			if err != nil {
				return nil, "", err
			}
			c.Credentials.Password = strings.TrimRight(string(b), "\r\n")
		}
	}
	if s.Root != "" {
		return c, s.Root, nil
	}
	d, err := c.Discovery(a.ctx)
	if err != nil {
		return nil, "", fmt.Errorf("discovery: %w", err)
	}
	if root := d.Default; root != "" {
		return c, root, nil
	}
	if len(d.APIRoots) == 0 {
		return nil, "", errors.New("discovery names no API root (--root)")
	}
	return c, d.APIRoots[0], nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

type submitCmd struct {
	Files      []string `arg:"" help:"Objects, bundles, envelopes or JSON lines; - for standard input."`
	Collection string   `required:"" help:"Id or alias of the collection."`
	server
}

// envelopeObjects bounds the objects of one POST.
const envelopeObjects = 100

func (c *submitCmd) Run(a *app) error {
	var objects []*stix.Object
	failed := 0
	for _, f := range c.Files {
		b, err := a.read(f)
		if err != nil {
			return err
		}
		env, err := stix.ParseEnvelope(b, stix.DefaultLimits())
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		for _, it := range env.Objects {
			if it.Err != nil {
				failed++
				fmt.Fprintf(a.err, "%s: not sent: %v\n", f, it.Err)
				continue
			}
			objects = append(objects, it.Object)
		}
	}
	client, root, err := c.client(a)
	if err != nil {
		return err
	}
	sum, err := c.send(a, client, root, objects)
	if err != nil {
		return err
	}
	sum.Failed += failed
	err = a.show(sum, func() { a.say("%d accepted, %d failed", sum.Accepted, sum.Failed) })
	if err == nil && sum.Failed > 0 {
		err = errSaid
	}
	return err
}

// submitted sums up what became of the objects.
type submitted struct {
	Accepted  int                  `json:"accepted"`
	Failed    int                  `json:"failed"`
	Successes []taxii.StatusDetail `json:"successes,omitzero"`
	Failures  []taxii.StatusDetail `json:"failures,omitzero"`
}

func (c *submitCmd) send(a *app, client *taxii.Client, root string, objects []*stix.Object) (*submitted, error) {
	sum := new(submitted)
	for chunk := range slices.Chunk(objects, envelopeObjects) {
		status, err := client.Add(a.ctx, root, c.Collection, join(chunk))
		if err == nil {
			status, err = client.Await(a.ctx, root, status)
		}
		if err != nil {
			return nil, fmt.Errorf("after %d accepted objects: %w", sum.Accepted, err)
		}
		sum.Accepted += status.SuccessCount
		sum.Failed += status.FailureCount
		sum.Successes = append(sum.Successes, status.Successes...)
		sum.Failures = append(sum.Failures, status.Failures...)
		for _, f := range status.Failures {
			fmt.Fprintf(a.err, "%s: refused: %s\n", f.ID, f.Message)
		}
	}
	return sum, nil
}

func join(objects []*stix.Object) []byte {
	var list [][]byte
	for _, o := range objects {
		list = append(list, o.Bytes())
	}
	return slices.Concat([]byte(`{"objects":[`), bytes.Join(list, []byte(",")), []byte(`]}`))
}

type pullCmd struct {
	Collection string `help:"Id or alias of a collection; without it the collections are listed."`
	AddedAfter string `placeholder:"TIME" help:"Only what was added later."`
	Versions   string `enum:"last,first,all" default:"last" help:"Which versions of an object: last, first or all."`
	Out        string `short:"o" help:"Write here instead of standard output."`
	server
}

func (c *pullCmd) Run(a *app) error {
	client, root, err := c.client(a)
	if err != nil {
		return err
	}
	if c.Collection == "" {
		return c.list(a, client, root)
	}
	out := a.out
	if c.Out != "" {
		f, err := os.Create(c.Out)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	return c.pull(a.ctx, client, root, out)
}

func (c *pullCmd) list(a *app, client *taxii.Client, root string) error {
	list, err := client.Collections(a.ctx, root)
	if err != nil {
		return err
	}
	return a.show(list, func() {
		for _, c := range list {
			right := "read"
			if c.CanWrite {
				right = "read, write"
			}
			a.say("%s  %-32s %-12s %s", c.ID, c.Alias, right, c.Title)
		}
		if len(list) == 0 {
			a.say("no collections for this account")
		}
	})
}

// pull writes one object a line, as it came.
func (c *pullCmd) pull(ctx context.Context, client *taxii.Client, root string, out io.Writer) error {
	q := taxii.Query{AddedAfter: c.AddedAfter, Match: taxii.Match{Version: []string{c.Versions}}}
	for page, err := range client.Objects(ctx, root, c.Collection, q) {
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			if _, err := fmt.Fprintf(out, "%s\n", o); err != nil {
				return err
			}
		}
	}
	return nil
}
