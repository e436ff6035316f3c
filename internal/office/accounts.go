package office

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/fault/point"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
	"github.com/liaison-office/liaison/taxii"
	"golang.org/x/crypto/argon2"
)

// Accounts keeps who may log in, in the office's own state: never an object,
// never in a log, never relayed. Passwords are argon2id hashes, tokens SHA-256
// digests of 256 random bits.
//
// A password that was found right is remembered as a keyed digest, bound to
// the version of the record, so that polling costs no argon2 and a change of
// the account acts at once.
type Accounts struct {
	store  store.Store
	office liaison.Office
	now    func() time.Time

	memory   uint32        // of one argon2 run, in KiB: argonMemory, save in tests that make hundreds of runs
	hashing  chan struct{} // bounds concurrent argon2 runs
	throttle throttle

	mu     sync.Mutex
	key    [32]byte            // of the digests; new at every start
	proofs map[string]struct{} // guarded by mu; at most maxProofs
	runs   map[string]*run     // argon2 runs under way, by proof; guarded by mu; at most maxRuns
}

// run is one argon2 run, for all who show the same at once.
type run struct {
	done  chan struct{}
	right bool // set before done is closed
}

// The buckets of keyed state.
const (
	bucketSecret = "secret" // <account>: secret
	bucketToken  = "token"  // <sha-256 of the token, hex>: token
)

const (
	maxProofs  = 10000
	maxHashing = 4
	maxRuns    = 16 // under way or waiting; others come back after busyRetry
	busyRetry  = time.Second
)

// TokenPrefix begins every token, so that scanners of leaked secrets know it.
const TokenPrefix = "liaison_"

// The cost of argon2id (RFC 9106 §4, second recommendation, with less memory).
const (
	argonTime   = 2
	argonMemory = 19 * 1024 // KiB
)

type secret struct {
	Salt liaison.Binary `json:"salt"`
	Hash liaison.Binary `json:"hash"`
}

// token opens the account it was made for, in the version it had: whatever
// changes the account ends its tokens.
type token struct {
	Account string          `json:"account"`
	Version uint64          `json:"version"`
	Expires liaison.Instant `json:"expires,omitzero"`
}

// ErrNoAccount says that there is no account of that name.
var ErrNoAccount = errors.New("no such account")

func newAccounts(s store.Store, o liaison.Office, now func() time.Time) *Accounts {
	a := &Accounts{store: s, office: o, now: now, memory: argonMemory, hashing: make(chan struct{}, maxHashing), proofs: map[string]struct{}{}, runs: map[string]*run{}}
	a.throttle.failures = map[string]failures{}
	if _, err := rand.Read(a.key[:]); err != nil {
		panic(err) // crypto/rand never fails on the platforms Go supports
	}
	return a
}

// Put adds or replaces an account; with a password, that too. A replaced
// account's version grows, which ends what its old record allowed.
func (a *Accounts) Put(ctx context.Context, acc registry.Account, password string) error {
	if err := checkName(acc.Name); err != nil {
		return err
	}
	return a.change(ctx, acc.Name, password, func(old registry.Account, ok bool) (registry.Account, error) {
		acc.Created = old.Created
		return acc, nil
	})
}

// change reads an account, changes it and writes it, in one transaction.
func (a *Accounts) change(ctx context.Context, name, password string, fn func(old registry.Account, ok bool) (registry.Account, error)) error {
	var sec []byte
	if password != "" {
		sec = marshal(a.newSecret(password))
	}
	return a.store.Update(ctx, store.Lock{}, func(tx store.Tx) error {
		old, ok, err := loadAccount(tx, name)
		if err != nil {
			return err
		}
		acc, err := fn(old, ok)
		if err != nil {
			return err
		}
		if acc.Version = old.Version + 1; acc.Created.IsZero() {
			acc.Created = liaison.InstantOf(a.now())
		}
		if sec != nil {
			if err := tx.Put(bucketSecret, name, sec); err != nil {
				return err
			}
		}
		point.At("office.account-changed")
		return tx.Put(desk.BucketAccounts, name, marshal(acc))
	})
}

func checkName(name string) error {
	const most = 100
	if name == "" || len(name) > most || strings.Contains(name, ":") || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("account name %.40q: want 1 to %d bytes without colon and control characters", name, most)
	}
	return nil
}

// SetPassword replaces an account's password and ends its tokens.
func (a *Accounts) SetPassword(ctx context.Context, name, password string) error {
	return a.change(ctx, name, password, existing(name))
}

// Disable ends an account's rights at once.
func (a *Accounts) Disable(ctx context.Context, name string) error {
	return a.change(ctx, name, "", func(old registry.Account, ok bool) (registry.Account, error) {
		old.Disabled = true
		return existing(name)(old, ok)
	})
}

func existing(name string) func(registry.Account, bool) (registry.Account, error) {
	return func(old registry.Account, ok bool) (registry.Account, error) {
		if !ok {
			return old, fmt.Errorf("%w: %.100q", ErrNoAccount, name)
		}
		return old, nil
	}
}

// Get returns an account.
func (a *Accounts) Get(ctx context.Context, name string) (acc registry.Account, err error) {
	err = a.store.View(ctx, func(v store.View) error {
		var ok bool
		acc, ok, err = loadAccount(v, name)
		if err == nil && !ok {
			err = fmt.Errorf("%w: %.100q", ErrNoAccount, name)
		}
		return err
	})
	return acc, err
}

// List returns all accounts by name.
func (a *Accounts) List(ctx context.Context) (list []registry.Account, err error) {
	err = a.store.View(ctx, func(v store.View) error {
		return v.States(desk.BucketAccounts, "", func(name string, raw []byte) error {
			var acc registry.Account
			if err := json.Unmarshal(raw, &acc); err != nil {
				return fmt.Errorf("account %s: %w", name, err)
			}
			list = append(list, acc)
			return nil
		})
	})
	return list, err
}

// NewToken makes a token for an account; life 0 means it does not expire.
func (a *Accounts) NewToken(ctx context.Context, name string, life time.Duration) (string, error) {
	acc, err := a.Get(ctx, name)
	if err != nil {
		return "", err
	}
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", err
	}
	text := TokenPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
	t := token{Account: name, Version: acc.Version}
	if life > 0 {
		t.Expires = liaison.InstantOf(a.now().Add(life))
	}
	err = a.store.Update(ctx, store.Lock{}, func(tx store.Tx) error { return tx.Put(bucketToken, tokenKey(text), marshal(t)) })
	return text, err
}

func tokenKey(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func loadAccount(v store.View, name string) (acc registry.Account, ok bool, err error) {
	ok, err = load(v, desk.BucketAccounts, name, &acc)
	return acc, ok, err
}

func load(v store.View, bucket, key string, into any) (bool, error) {
	raw, ok, err := v.State(bucket, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("state %s/%s: %w", bucket, key, err)
	}
	return true, nil
}

// Authenticate makes the viewer of credentials. Unknown names cost what wrong
// passwords cost, and wait as long: after too many failures, or while too many
// others are checked, the error is taxii.ErrTooManyRequests. Who was right
// before never waits.
func (a *Accounts) Authenticate(ctx context.Context, c taxii.Credentials) (v desk.Viewer, ok bool, err error) {
	switch {
	case c.Anonymous():
		return registry.Nobody(), true, nil
	case c.Token != "":
		return a.byToken(ctx, c.Token)
	}
	return a.byPassword(ctx, c.User, c.Password)
}

func (a *Accounts) byToken(ctx context.Context, text string) (v desk.Viewer, ok bool, err error) {
	err = a.store.View(ctx, func(s store.View) error {
		var t token
		found, err := load(s, bucketToken, tokenKey(text), &t)
		if err != nil || !found || (t.Expires != 0 && t.Expires <= liaison.InstantOf(a.now())) {
			return err
		}
		acc, found, err := loadAccount(s, t.Account)
		if found && !acc.Disabled && acc.Version == t.Version {
			v, ok = registry.LoggedIn(acc, a.office), true
		}
		return err
	})
	return v, ok, err
}

func (a *Accounts) byPassword(ctx context.Context, name, password string) (v desk.Viewer, ok bool, err error) {
	var acc registry.Account
	var sec secret
	found := false
	err = a.store.View(ctx, func(s store.View) error {
		var err error
		if acc, found, err = loadAccount(s, name); err != nil || !found {
			return err
		}
		found, err = load(s, bucketSecret, name, &sec)
		return err
	})
	if err != nil {
		return v, false, err
	}
	if !found || acc.Disabled {
		sec = dummy
	}
	right, err := a.check(ctx, name, acc, sec, password)
	if err != nil || !found || acc.Disabled || !right {
		return v, false, err
	}
	return registry.LoggedIn(acc, a.office), true, nil
}

// dummy is hashed against where there is no account.
var dummy = secret{Salt: make([]byte, 16), Hash: make([]byte, 32)}

// check costs argon2 once for all who show the same at the same time, and
// nothing for who was right before.
func (a *Accounts) check(ctx context.Context, name string, acc registry.Account, sec secret, password string) (right bool, err error) {
	proof, limits := a.proof(name, acc, sec, password), limitsOf(ctx, name)
	r, mine, err := a.run(proof, limits)
	switch {
	case err != nil:
		return false, err
	case !mine:
		<-r.done
		return r.right, nil
	}
	a.hashing <- struct{}{}
	right = subtle.ConstantTimeCompare(a.hash(password, sec.Salt), sec.Hash) == 1
	<-a.hashing
	if right {
		a.throttle.right(limits)
	}
	a.finish(proof, r, right)
	return right, nil
}

// proven is the run of whoever was right before.
var proven = func() *run {
	r := &run{done: make(chan struct{}), right: true}
	close(r.done)
	return r
}()

// run returns the argon2 run of a proof. Mine says that the caller has to do
// it; that is refused if too many are under way or too many failed.
func (a *Accounts) run(proof string, limits []limit) (r *run, mine bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.proofs[proof]; known {
		return proven, false, nil
	}
	if r, begun := a.runs[proof]; begun {
		return r, false, nil
	}
	wait := busyRetry
	if len(a.runs) < maxRuns {
		wait = a.throttle.begin(limits)
	}
	if wait > 0 {
		return nil, false, &taxii.Refusal{Err: taxii.ErrTooManyRequests, Description: "too many log-ins failed, or are under way", RetryAfter: wait}
	}
	r = &run{done: make(chan struct{})}
	a.runs[proof] = r
	return r, true, nil
}

func (a *Accounts) finish(proof string, r *run, right bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.runs, proof)
	if r.right = right; right {
		if len(a.proofs) >= maxProofs {
			clear(a.proofs)
		}
		a.proofs[proof] = struct{}{}
	}
	close(r.done)
}

func (a *Accounts) proof(name string, acc registry.Account, sec secret, password string) string {
	m := hmac.New(sha256.New, a.key[:])
	fmt.Fprintf(m, "%d:%s:%d:", len(name), name, acc.Version)
	m.Write(sec.Hash)
	m.Write([]byte(password))
	return string(m.Sum(nil))
}

func (a *Accounts) newSecret(password string) secret {
	s := secret{Salt: make([]byte, 16)}
	if _, err := rand.Read(s.Salt); err != nil {
		panic(err) // crypto/rand never fails on the platforms Go supports
	}
	s.Hash = a.hash(password, s.Salt)
	return s
}

func (a *Accounts) hash(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, argonTime, a.memory, 1, 32)
}

// marshal encodes one of the office's own records.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("office: encode %T: %v", v, err))
	}
	return b
}

// ParseRoles reads a list of roles, separated by commas.
func ParseRoles(s string) ([]registry.AccountRole, error) {
	var roles []registry.AccountRole
	for r := range strings.SplitSeq(s, ",") {
		role := registry.AccountRole(strings.TrimSpace(r))
		switch role {
		case registry.MayRead, registry.MayWrite, registry.MayRelease, registry.MayChair, registry.MayOperate:
		default:
			return nil, fmt.Errorf("role %.20q is not one of read, write, release, chair, operate", role)
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}
