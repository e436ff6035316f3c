package office

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/durable"
	"github.com/liaison-office/liaison/ledger"
	"github.com/liaison-office/liaison/stix"
)

// The files of an office's folder.
const (
	ConfigFile = "liaison.toml"
	PinFile    = "authority.pin"
	SocketFile = "liaison.sock"
	keysDir    = "keys"
	storeDir   = "store"
	anchorDir  = "anchor"
	peersDir   = "peers"
	forksDir   = "forks"
)

// Config is liaison.toml. Every key has a default but office.
type Config struct {
	Office     liaison.Office `toml:"office"`
	Exchange   string         `toml:"exchange"`          // host:port of TAXII
	Relay      string         `toml:"relay"`             // host:port for neighbours
	Address    string         `toml:"address"`           // host:port neighbours dial; empty: the relay's
	Validation stix.Mode      `toml:"validation"`        // admit or strict
	Except     []string       `toml:"validation_except"` // collections, as programme.area, with the other mode
	Store      Place          `toml:"store"`             // a PostgreSQL database; empty: SQLite in the folder
	Anchor     Place          `toml:"anchor"`            // a folder or a database; empty: in the office's folder
	Limits     Limits         `toml:"limits"`
}

// The default listeners: this machine only, until the operator says more.
const (
	DefaultExchange = "127.0.0.1:6100"
	DefaultRelay    = "127.0.0.1:6101"
)

// LoadConfig reads liaison.toml. A key it does not know is an error that names
// the line.
func LoadConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no office's folder: it holds no %s (liaison init makes one)", dir, ConfigFile)
	}
	if err != nil {
		return nil, err
	}
	return ParseConfig(path, string(text))
}

// ParseConfig reads the text of a configuration; path is for messages.
func ParseConfig(path, text string) (*Config, error) {
	c := &Config{Exchange: DefaultExchange, Relay: DefaultRelay, Validation: stix.Admit}
	if err := DecodeTOML(path, text, c); err != nil {
		return nil, err
	}
	if key, err := c.check(); err != nil {
		return nil, fmt.Errorf("%s:%d: %s: %w", path, lineOf(text, strings.Split(key, ".")), key, err)
	}
	return c, nil
}

// check says which key has a value that cannot work, and why.
func (c *Config) check() (key string, err error) {
	if c.Office == "" {
		return "office", errors.New("it is missing: the DNS name of the office, such as tokyo.example.org")
	}
	if _, err := liaison.ParseOffice(string(c.Office)); err != nil {
		return "office", err
	}
	if err := checkListener(c.Exchange); err != nil {
		return "exchange", err
	}
	if err := checkListener(c.Relay); err != nil {
		return "relay", err
	}
	if c.Relay == c.Exchange && !strings.HasSuffix(c.Relay, ":0") {
		return "relay", fmt.Errorf("%s is the address of exchange too: each needs a port of its own", c.Relay)
	}
	if c.Address != "" {
		if err := checkReachable(c.Address); err != nil {
			return "address", err
		}
	}
	if c.Validation != stix.Admit && c.Validation != stix.Strict {
		return "validation", fmt.Errorf("%q: want admit or strict", c.Validation)
	}
	if err := c.Store.checkStore(); err != nil {
		return "store", err
	}
	if err := c.Anchor.check(); err != nil {
		return "anchor", err
	}
	for _, name := range c.Except {
		if programme, area, ok := strings.Cut(name, "."); !ok || programme == "" || area == "" {
			return "validation_except", fmt.Errorf("%q: want a collection as programme.area, such as itpp.cyber", name)
		}
	}
	return c.Limits.check()
}

// loadPin reads the pinned authority.
func loadPin(dir string) (ledger.Pin, error) {
	path := filepath.Join(dir, PinFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return ledger.Pin{}, fmt.Errorf("the authority is not pinned: %w", err)
	}
	pin, err := ledger.ParsePin(string(text))
	if err != nil {
		return ledger.Pin{}, fmt.Errorf("%s: %w", path, err)
	}
	return pin, nil
}

// Init makes the folder of a new office: configuration, keys and the pinned
// authority. It refuses a folder that holds an office already, and addresses
// on which the office could not serve. The configuration comes last, and what
// an Init that was interrupted has left is made complete.
func Init(dir string, c Config, pin ledger.Pin) error {
	c.Exchange, c.Relay = cmp.Or(c.Exchange, DefaultExchange), cmp.Or(c.Relay, DefaultRelay)
	c.Validation = cmp.Or(c.Validation, stix.Admit)
	if key, err := c.check(); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil {
		return fmt.Errorf("%s holds an office already", dir)
	}
	if filled(filepath.Join(dir, storeDir)) || filled(filepath.Join(dir, anchorDir)) {
		return fmt.Errorf("%s holds the %s of an office without its %s: put that file back, or take another folder", dir, storeDir, ConfigFile)
	}
	for _, d := range c.folders(dir) {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	if err := initKeys(filepath.Join(dir, keysDir), c.Office); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, PinFile), []byte(pin.String())); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, ConfigFile), []byte(c.text()))
}

// folders are those that a new office in dir has.
func (c *Config) folders(dir string) []string {
	list := []string{dir, filepath.Join(dir, peersDir)}
	if c.Store == "" {
		list = append(list, filepath.Join(dir, storeDir))
	}
	if !c.Anchor.isDatabase() {
		list = append(list, c.anchorDir(dir))
	}
	return list
}

// anchorDir is where the office of dir keeps the newest checkpoints, unless that is
// a database.
func (c *Config) anchorDir(dir string) string {
	switch path := string(c.Anchor); {
	case path == "":
		return filepath.Join(dir, anchorDir)
	case filepath.IsAbs(path):
		return path
	default:
		return filepath.Join(dir, path)
	}
}

// initKeys makes the keys of a new office beside their place, so that there are
// all of them or none. Keys that are there are kept, since no office has used
// them.
func initKeys(dir string, office liaison.Office) error {
	if _, err := os.Stat(dir); err == nil {
		if _, err := LoadKeys(dir, office); err != nil {
			return fmt.Errorf("%s does not hold all keys of an office: if none ever ran with them, remove that folder and repeat: %w", dir, err)
		}
		return nil
	}
	if err := os.RemoveAll(dir + ".new"); err != nil {
		return err
	}
	if _, err := NewKeys(dir+".new", office); err != nil {
		return err
	}
	return durable.Rename(dir+".new", dir)
}

// text writes the configuration with its comments.
func (c *Config) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The office of this folder. Every key is described in docs/configuration.md.\n")
	fmt.Fprintf(&b, "office = %q\n\n", c.Office)
	fmt.Fprintf(&b, "# TAXII 2.1 for the tools of this office's parties.\nexchange = %q\n\n", c.Exchange)
	fmt.Fprintf(&b, "# The relay stream of neighbouring offices.\nrelay = %q\n", c.Relay)
	if c.Address != "" {
		fmt.Fprintf(&b, "\n# Where neighbours reach the relay.\naddress = %q\n", c.Address)
	}
	if c.Store != "" {
		fmt.Fprintf(&b, "\n# The database that holds the store. All processes of the office share it.\nstore = %q\n", string(c.Store))
	}
	if c.Anchor != "" {
		fmt.Fprintf(&b, "\n# The newest checkpoint of each log. All processes of the office share it.\nanchor = %q\n", string(c.Anchor))
	}
	if c.Validation != stix.Admit {
		fmt.Fprintf(&b, "\n# admit (with findings) or strict.\nvalidation = %q\n", c.Validation)
	}
	b.WriteString(c.Limits.text())
	return b.String()
}
