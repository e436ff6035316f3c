package desk

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/registry"
	"github.com/liaison-office/liaison/internal/store"
)

// Collection describes a collection to somebody who may read it.
type Collection struct {
	ID          liaison.CollectionID
	Alias       string // unique in the viewer's own list
	Title       string
	Description string
	Programme   string // alias of the programme
	Area        liaison.Area
	CanRead     bool
	CanWrite    bool
}

// Collections lists what a viewer may read, in a stable order: charters
// first, then by programme, area and epoch.
func (d *Desk) Collections(ctx context.Context, v Viewer) ([]Collection, error) {
	var reg *register
	err := d.view(ctx, func(s store.View, r *register) error {
		reg = r
		if a, ok := v.Account(); ok {
			return checkAccount(s, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []Collection
	for _, c := range reg.Collections() {
		if d.readable(reg.Registry, v, c).Allowed {
			list = append(list, d.describe(reg.Registry, v, c))
		}
	}
	nameAliases(list)
	return list, nil
}

func (d *Desk) describe(reg *registry.Registry, v Viewer, c *registry.Collection) Collection {
	now := d.now()
	version, _ := c.InForce(now)
	a, ok := v.Account()
	canWrite := ok && a.Has(registry.MayWrite) &&
		d.couldWrite(reg, c, d.actorOf(reg, a.By, a.For, d.Office, now), now)
	return Collection{
		ID: c.ID, Alias: aliasOf(version.Alias, c, now), Title: title(version.Name, c),
		Description: fmt.Sprintf("%s programme, version %d, ceiling %s", version.Kind, version.Version, version.Ceiling),
		Programme:   version.Alias, Area: c.Area, CanRead: true, CanWrite: canWrite,
	}
}

func title(programme string, c *registry.Collection) string {
	if c.Epoch > 1 {
		return fmt.Sprintf("%s: %s (epoch %d)", programme, c.Area, c.Epoch)
	}
	return fmt.Sprintf("%s: %s", programme, c.Area)
}

// aliasOf: the alias names the epoch that is open; others carry their number.
func aliasOf(programme string, c *registry.Collection, now liaison.Instant) string {
	if c.Open(now) {
		return programme + "." + string(c.Area)
	}
	return fmt.Sprintf("%s.%s.%d", programme, c.Area, c.Epoch)
}

// nameAliases makes aliases unique within one viewer's list.
func nameAliases(list []Collection) {
	count := map[string]int{}
	for _, c := range list {
		count[c.Alias]++
	}
	for i := range list {
		if c := &list[i]; count[c.Alias] > 1 {
			c.Alias += "." + c.ID.String()[:8]
		}
	}
}

// BucketAccounts holds the office's accounts by name: registry.Account. The
// office writes it; the desk checks it in every snapshot.
const BucketAccounts = "account"

func checkAccount(v store.View, a registry.Account) error {
	raw, ok, err := v.State(BucketAccounts, a.Name)
	if err != nil {
		return err
	}
	var now registry.Account
	if ok {
		if err := json.Unmarshal(raw, &now); err != nil {
			return fmt.Errorf("account %s: %w", a.Name, err)
		}
	}
	if !ok || now.Disabled || now.Version != a.Version {
		return ErrRevoked
	}
	return nil
}
