package office_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/desk/desktest"
	"github.com/liaison-office/liaison/internal/office"
	"github.com/liaison-office/liaison/ledger"
)

// giveKeys writes keys into the folder of an office.
func giveKeys(t *testing.T, dir string, keys *desktest.Keys) {
	t.Helper()
	for use, key := range map[string]ed25519.PrivateKey{"act": keys.Act, "log": keys.Log, "witness": keys.Witness, "relay": keys.Relay} {
		giveKey(t, dir, use, key.Seed())
	}
}

func giveKey(t *testing.T, dir, use string, seed []byte) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "keys", use+".seed"), []byte(base64.StdEncoding.EncodeToString(seed)), 0o600))
}

// register brings the register's charter, with the office objects, and further
// objects of it.
func register(t *testing.T, dir string, further ...[]byte) error {
	t.Helper()
	r := office.ControlRequest{Programme: "register"}
	for _, o := range append(desktest.CharterOf("register").Objects(), further...) {
		r.Objects = append(r.Objects, o)
	}
	return office.Call(t.Context(), dir, "control/add", office.Options{}, r, new(any))
}

// founded makes the folder of an office of the alliance with its register.
func founded(t *testing.T, name liaison.Office) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), string(name))
	must(t, office.Init(dir, office.Config{Office: name}, desktest.Pin()))
	giveKeys(t, dir, desktest.NewKeys(name))
	must(t, register(t, dir))
	return dir
}

// opens opens a folder and closes it again.
func opens(t *testing.T, dir string) (log string, err error) {
	t.Helper()
	var said bytes.Buffer
	o, err := office.Open(t.Context(), dir, office.Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err == nil {
		must(t, o.Close())
	}
	return said.String(), err
}

func refused(t *testing.T, dir string, words ...string) {
	t.Helper()
	_, err := opens(t, dir)
	if err == nil {
		t.Errorf("it opens; want %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("it says %q, want %q in it", err, w)
		}
	}
}

// TestAnOfficeWithOtherKeysThanItsOwnIsRefused: what they sign could never be
// proved.
func TestAnOfficeWithOtherKeysThanItsOwnIsRefused(t *testing.T) {
	dir := founded(t, desktest.Tokyo)
	own, seoul := desktest.NewKeys(desktest.Tokyo), desktest.NewKeys(desktest.Seoul)
	for use, key := range map[string]ed25519.PrivateKey{"act": seoul.Act, "log": seoul.Log, "witness": seoul.Witness, "relay": seoul.Relay} {
		giveKey(t, dir, use, key.Seed())
		refused(t, dir, use+".seed is not the "+use+" key of tokyo.example.org", "put the keys of this office back", "office add")
		giveKeys(t, dir, own)
	}
	if _, err := opens(t, dir); err != nil {
		t.Errorf("with its own keys: %v", err)
	}
}

// TestAnOfficeObjectWithOtherKeysIsRefused, and one with the new keys of an
// office that lost the old ones is taken.
func TestAnOfficeObjectWithOtherKeysIsRefused(t *testing.T) {
	dir := founded(t, desktest.Tokyo)
	next := desktest.NewKeys("next." + desktest.Tokyo)
	object := desktest.Sign(liaison.JCS(liaison.NewOfficeObject(desktest.ID("office", string(desktest.Tokyo)), desktest.Tokyo, next.Public(desktest.At(0)), nil, desktest.At(time.Second))))
	if err := register(t, dir, object); err == nil || !strings.Contains(err.Error(), "is not the log key of tokyo.example.org") {
		t.Errorf("it leaves the office without keys: %v", err)
	}
	giveKeys(t, dir, next)
	if err := register(t, dir); err == nil {
		t.Error("something else is signed with keys that nobody knows")
	}
	must(t, office.Call(t.Context(), dir, "card", office.Options{}, struct{}{}, new(any)))
	must(t, register(t, dir, object))
	if log, err := opens(t, dir); err != nil {
		t.Errorf("with its new keys: %v\n%s", err, log)
	}
}

func TestStoreAnchorsConfigurationAndPinBelongToOneOffice(t *testing.T) {
	move := func(t *testing.T, what, from, to string) {
		must(t, os.RemoveAll(filepath.Join(to, what)))
		must(t, os.Rename(filepath.Join(from, what), filepath.Join(to, what)))
	}
	for name, k := range map[string]struct {
		spoil func(t *testing.T, tokyo, seoul string)
		words []string
	}{
		"another's store":   {func(t *testing.T, tokyo, seoul string) { move(t, "store", seoul, tokyo) }, []string{string(desktest.Tokyo), string(desktest.Seoul)}},
		"another's anchors": {func(t *testing.T, tokyo, seoul string) { move(t, "anchor", seoul, tokyo) }, []string{string(desktest.Tokyo), string(desktest.Seoul)}},
		"another name": {func(t *testing.T, tokyo, _ string) {
			must(t, os.WriteFile(filepath.Join(tokyo, office.ConfigFile), []byte(`office = "tokyo2.example.org"`), 0o600))
		}, []string{string(desktest.Tokyo), "tokyo2.example.org"}},
		"another alliance": {func(t *testing.T, tokyo, _ string) {
			other := desktest.NewKeys("other.example.org")
			pin := ledger.Pin{Keys: []string{ledger.VKey("other.example.org/authority", other.LogKey())}, Threshold: 1}
			must(t, os.WriteFile(filepath.Join(tokyo, office.PinFile), []byte(pin.String()), 0o600))
		}, []string{"pins the authority other.example.org/authority+", "signed by alliance.example.org/authority/0+"}},
	} {
		t.Run(name, func(t *testing.T) {
			tokyo, seoul := founded(t, desktest.Tokyo), founded(t, desktest.Seoul)
			k.spoil(t, tokyo, seoul)
			refused(t, tokyo, k.words...)
		})
	}
}

// TestALostStoreIsSaidAtStart: the office goes on for reading.
func TestALostStoreIsSaidAtStart(t *testing.T) {
	dir := founded(t, desktest.Tokyo)
	o, err := office.Open(t.Context(), dir, office.Options{})
	must(t, err)
	_, err = o.Operator().Receipt(t.Context(), office.ReceiptRequest{Collection: desktest.Collection("register", liaison.Charter).String()})
	must(t, err)
	must(t, o.Close())
	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	log, err := opens(t, dir)
	if err != nil || strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "restore the newest backup, or ask the neighbours") {
		t.Errorf("%v, and the operator reads:\n%s", err, log)
	}
	var r office.FsckReply
	must(t, office.Call(t.Context(), dir, "fsck", office.Options{}, struct{}{}, &r))
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "restore the newest backup, or ask the neighbours") {
		t.Errorf("fsck says %q", r.Problems)
	}
}

func TestAKeyThatOthersCanReadIsSaid(t *testing.T) {
	dir := founded(t, desktest.Tokyo)
	if log, err := opens(t, dir); err != nil || strings.Contains(log, "level=WARN") {
		t.Errorf("%v, and the operator reads:\n%s", err, log)
	}
	must(t, os.Chmod(filepath.Join(dir, "keys", "act.seed"), 0o644))
	if log, err := opens(t, dir); err != nil || strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "act.seed") || !strings.Contains(log, "chmod 600") {
		t.Errorf("%v, and the operator reads:\n%s", err, log)
	}
}
