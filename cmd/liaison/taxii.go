package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/stix"
	"github.com/liaison-office/liaison/taxii"
)

// server says which TAXII server is meant and who asks.
type server struct {
	URL           string `placeholder:"URL" help:"Discovery address, such as https://hq.example.org/taxii2/."`
	User          string `short:"u" help:"Account name."`
	PasswordStdin bool   `help:"Read the password from standard input instead of LIAISON_PASSWORD; without both it is asked for."`
	Token         string `help:"Bearer token instead of name and password; better in LIAISON_TOKEN, which other users of the machine cannot see."`
	AllowHTTP     bool   `help:"Allow http to other machines. Loopback addresses need no permission."`
	Root          string `help:"API root; default: the server's."`
}

// remote is a TAXII server with the API root that is used.
type remote struct {
	*taxii.Client
	root string
	max  int64 // max_content_length: bytes of an envelope
}

// connect finds the API root.
func (s *server) connect(a *app) (*remote, error) {
	u, err := s.address()
	if err != nil {
		return nil, err
	}
	r := &remote{Client: &taxii.Client{Base: u, AllowHTTP: s.AllowHTTP || loopback(u.Hostname()), UserAgent: "liaison/" + version}, root: s.Root}
	if r.Credentials, err = s.credentials(a); err != nil {
		return nil, err
	}
	return r, r.words(r.find(a.ctx))
}

// address reads --url. Without a path it is the discovery address.
func (s *server) address() (*url.URL, error) {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		return nil, &usageError{"--url is missing: the address of the office's TAXII server"}
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("--url %.200q is not an http or https address", s.URL)
	case u.User != nil:
		return nil, errors.New("--url holds a name or password: use --user and LIAISON_PASSWORD")
	case u.Scheme == "http" && !s.AllowHTTP && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%s would carry passwords and notes in the clear: use https, or --allow-http if you must", u)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = taxii.DiscoveryPath
	}
	return u, nil
}

// credentials come from flags and the environment; a missing password is asked
// for. --user wins over a token that stands in the environment.
func (s *server) credentials(a *app) (c taxii.Credentials, err error) {
	switch {
	case s.User == "" && s.Token == "":
		c.Token = os.Getenv("LIAISON_TOKEN")
		return c, nil
	case s.User == "":
		c.Token = s.Token
		return c, nil
	case s.Token != "":
		return c, &usageError{"--user and --token exclude each other"}
	}
	c.User, c.Password = s.User, os.Getenv("LIAISON_PASSWORD")
	if s.PasswordStdin {
		c.Password, err = a.passwordFromInput()
	} else if c.Password == "" {
		c.Password, err = a.ask("Password of "+s.User+":", hidden)
	}
	if errors.Is(err, errNoTerminal) {
		err = &usageError{"nobody is there to type a password: set LIAISON_PASSWORD or use --password-stdin"}
	}
	return c, err
}

// find asks discovery for the API root, and that for what it takes at once.
func (r *remote) find(ctx context.Context) error {
	if r.root == "" {
		d, err := r.Discovery(ctx)
		switch {
		case err != nil:
			return err
		case d.Default != "":
			r.root = d.Default
		case len(d.APIRoots) > 0:
			r.root = d.APIRoots[0]
		default:
			return errors.New("discovery names no API root (--root)")
		}
	}
	root, err := r.APIRoot(ctx, r.root)
	r.max = root.MaxContentLength
	return err
}

// words says what an answer of the server means for who asked.
func (r *remote) words(err error) error {
	var unreachable *net.OpError
	switch {
	case errors.As(err, &unreachable):
		return fmt.Errorf("%s cannot be reached: %w", r.Base.Host, unreachable.Err)
	case !errors.Is(err, taxii.ErrUnauthorized):
		return err
	case r.Credentials.Anonymous():
		return fmt.Errorf("%s wants to know who asks (401): use --user or LIAISON_TOKEN", r.Base.Host)
	case r.Credentials.Token != "":
		return fmt.Errorf("%s does not accept this token (401): it is wrong, has expired, or its account is disabled", r.Base.Host)
	}
	return fmt.Errorf("%s does not accept user %q with this password (401)", r.Base.Host, r.Credentials.User)
}

// collection finds a collection by its id or alias.
func (r *remote) collection(ctx context.Context, name string) (taxii.Collection, error) {
	c, err := r.Collection(ctx, r.root, name)
	if errors.Is(err, taxii.ErrNotFound) || errors.Is(err, taxii.ErrBadRequest) {
		return c, fmt.Errorf("there is no collection %.100q for this account (liaison pull without --collection lists those there are)", name)
	}
	return c, r.words(err)
}

// writable returns the id of a collection that takes the objects. Withdrawing
// is tried wherever the account once wrote: the server decides.
func (r *remote) writable(ctx context.Context, name string, objects []sendable) (id string, err error) {
	revoked := !slices.ContainsFunc(objects, func(o sendable) bool { return !o.revoked })
	if _, err := liaison.ParseCollectionID(name); err == nil && revoked && len(objects) > 0 {
		return name, nil
	}
	c, err := r.collection(ctx, name)
	if err == nil && !c.CanWrite && !revoked {
		err = fmt.Errorf("this account may read %s and not write into it", name)
	}
	return c.ID, err
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
	var sum submitted
	var objects []sendable
	for _, f := range c.Files {
		b, err := a.read(f)
		if err != nil {
			return err
		}
		env, err := stix.ParseEnvelope(b, localLimits)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		objects = append(objects, sum.sendable(f, env)...)
	}
	markingsFirst(objects)
	r, err := c.connect(a)
	if err != nil {
		return err
	}
	to, err := r.writable(a.ctx, c.Collection, objects)
	if err != nil {
		return err
	}
	sent := r.send(a.ctx, to, objects, &sum)
	if err := a.show(&sum, func() { sum.print(a) }); err != nil {
		return err
	}
	switch {
	case sent != nil:
		return fmt.Errorf("after %d accepted objects: %w (to send all of them again does no harm)", sum.Accepted, sent)
	case sum.Failed > 0:
		return errSaid
	}
	return nil
}

// submitted says what became of the objects.
type submitted struct {
	Accepted  int                  `json:"accepted"`
	Failed    int                  `json:"failed"`
	Successes []taxii.StatusDetail `json:"successes,omitzero"`
	Failures  []failure            `json:"failures,omitzero"`
	NotSent   []notSent            `json:"not_sent,omitzero"` // counted as failed
}

// notSent is an element of a file that is no object.
type notSent struct {
	File    string `json:"file"`
	Pointer string `json:"pointer"` // into the file, or "object 3" of lines
	Reason  string `json:"reason"`
}

// failure is an object that the server refused. File and Pointer are empty if
// the server does not say where in the body it stood.
type failure struct {
	File    string `json:"file,omitzero"`
	Pointer string `json:"pointer,omitzero"` // as in notSent
	ID      string `json:"id"`
	Version string `json:"version,omitzero"`
	Reason  string `json:"reason"`
}

// sendable is an object with its place: an envelope that is sent holds objects
// in another order than the files do.
type sendable struct {
	file, place string
	bytes       []byte
	revoked     bool
}

// sendable returns the objects of a file and notes what are none.
func (s *submitted) sendable(file string, env stix.Envelope) []sendable {
	var objects []sendable
	for i, it := range env.Objects {
		if it.Err != nil {
			s.NotSent = append(s.NotSent, notSent{file, pointer(env, i, it.Err.Pointer), it.Err.Reason})
			s.Failed++
			continue
		}
		objects = append(objects, sendable{file, pointer(env, i, ""), it.Object.Bytes(), it.Object.Revoked()})
	}
	return objects
}

// refused notes what the server refused of what was sent at once.
func (s *submitted) refused(sent []sendable, d taxii.StatusDetail) {
	f := failure{ID: d.ID, Version: d.Version, Reason: d.Message}
	var more struct {
		Pointer string `json:"x_pointer"` // /objects/<n>, then into the object
	}
	var n int
	if err := json.Unmarshal(d.Other, &more); err == nil {
		if _, err = fmt.Sscanf(more.Pointer, "/objects/%d", &n); err == nil && n < len(sent) {
			inside := strings.TrimPrefix(more.Pointer, fmt.Sprintf("/objects/%d", n))
			f.File, f.Pointer = sent[n].file, strings.TrimSpace(sent[n].place+inside)
			f.Reason = strings.TrimPrefix(d.Message, more.Pointer+": ")
		}
	}
	s.Failures = append(s.Failures, f)
}

// send posts the objects in envelopes of what the server takes at once.
func (r *remote) send(ctx context.Context, collection string, objects []sendable, sum *submitted) error {
	for len(objects) > 0 {
		n := fitting(objects, r.max)
		status, err := r.Add(ctx, r.root, collection, stix.AppendEnvelope(nil, contents(objects[:n]), false, ""))
		if err == nil {
			status, err = r.Await(ctx, r.root, status)
		}
		if err != nil {
			return r.words(err)
		}
		sum.Accepted += status.SuccessCount
		sum.Failed += status.FailureCount
		sum.Successes = append(sum.Successes, status.Successes...)
		for _, d := range status.Failures {
			sum.refused(objects[:n], d)
		}
		objects = objects[n:]
	}
	return nil
}

// contents are the bytes of objects.
func contents(objects []sendable) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, o := range objects {
			if !yield(o.bytes) {
				return
			}
		}
	}
}

// fitting returns how many of the objects go into one envelope: at least one,
// so that the server says itself what is too large for it.
func fitting(objects []sendable, most int64) int {
	size := int64(len(`{"objects":[]}`))
	for n, o := range objects {
		size += int64(len(o.bytes)) + 1
		if n == envelopeObjects || n > 0 && most > 0 && size > most {
			return n
		}
	}
	return len(objects)
}

// print says what became of each object: what was accepted as a result, what
// failed beside it.
func (s *submitted) print(a *app) {
	for _, d := range s.Successes {
		a.say("accepted  %s%s", d.ID, entryOf(d))
	}
	for _, f := range s.Failures {
		a.note("%s: refused: %s", f.where(), f.Reason)
	}
	for _, n := range s.NotSent {
		a.note("%s: not sent: %s%s", n.File, place(n.Pointer), n.Reason)
	}
	a.say("%d accepted, %d failed", s.Accepted, s.Failed)
}

// where names file, place and object, as far as they are known.
func (f failure) where() string {
	if f.File == "" {
		return f.ID
	}
	return strings.TrimSpace(f.File+" "+f.Pointer) + of(f.ID)
}

// entryOf names the entry that an office's receipt is of.
func entryOf(d taxii.StatusDetail) string {
	var more struct {
		Receipt string `json:"x_receipt"` // /receipts/<collection>/<index>/
	}
	if json.Unmarshal(d.Other, &more) != nil {
		return "" // a member of that name that another server means otherwise
	}
	parts := strings.Split(strings.Trim(more.Receipt, "/"), "/")
	if len(parts) != 3 {
		return ""
	}
	return "  entry " + parts[2]
}

type pullCmd struct {
	Collection string `help:"Id or alias of a collection; without it the collections are listed."`
	AddedAfter string `placeholder:"TIME" help:"Only what was added later, such as 2026-01-31 or 2026-01-31T14:30:00Z."`
	Bundle     bool   `help:"Write a STIX bundle instead of one object a line."`
	Versions   string `enum:"last,first,all" default:"last" help:"Which versions of an object: last, first or all."`
	Out        string `short:"o" help:"Write here instead of standard output."`
	server
}

func (c *pullCmd) Run(a *app) error {
	after, err := parseInstant(c.AddedAfter)
	if err != nil {
		return &usageError{"--added-after: " + err.Error()}
	}
	r, err := c.connect(a)
	if err != nil {
		return err
	}
	if c.Collection == "" {
		return r.words(c.list(a, r.Client, r.root))
	}
	from, err := r.collection(a.ctx, c.Collection)
	if err != nil {
		return err
	}
	q := taxii.Query{AddedAfter: after.String(), Match: taxii.Match{Version: []string{c.Versions}}}
	return a.writeTo(c.Out, func(w io.Writer) error { return c.pull(a, r, from.ID, q, w) })
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

// pull writes the objects as they came: one a line, or a bundle.
func (c *pullCmd) pull(a *app, r *remote, collection string, q taxii.Query, w io.Writer) error {
	before, between, end := "", "\n", "\n"
	if c.Bundle {
		before, between, end = fmt.Sprintf(`{"type":"bundle","id":%q,"objects":[`, newID("bundle")), ",", "]}\n"
	}
	count, newest := 0, ""
	for page, err := range r.Objects(a.ctx, r.root, collection, q) {
		if err != nil {
			return r.words(err)
		}
		for _, o := range page.Objects {
			if _, err := fmt.Fprintf(w, "%s%s", before, o); err != nil {
				return err
			}
			before = between
			count++
		}
		if page.AddedLast != "" {
			newest = page.AddedLast
		}
	}
	if count == 0 {
		a.note("nothing to pull from %s", c.Collection)
		return nil
	}
	a.note("%d objects; next time only what is new: --added-after %s", count, newest)
	_, err := io.WriteString(w, end)
	return err
}

// markingsFirst sends marking definitions before what they mark: a bundle of
// many envelopes may hold them anywhere.
func markingsFirst(objects []sendable) {
	rank := func(o sendable) int {
		if o, err := stix.Parse(o.bytes, localLimits); err == nil && o.Type() == "marking-definition" {
			return 0
		}
		return 1
	}
	ranks := make(map[*byte]int, len(objects))
	for _, o := range objects {
		ranks[&o.bytes[0]] = rank(o)
	}
	slices.SortStableFunc(objects, func(a, b sendable) int { return ranks[&a.bytes[0]] - ranks[&b.bytes[0]] })
}
