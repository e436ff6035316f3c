package demo

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/office"
)

// The account that Prepare adds, and where it writes.
const (
	SampleAccount    = "nato"
	SamplePassword   = samplePassword
	SampleCollection = "community.disinformation"
	SampleOffice     = hq
)

// Prepare makes the folder of a single office, hq, that serves every party of
// the sample alliance but Australia and the office at Tokyo, with SampleAccount, which may write
// into SampleCollection. It is what measuring and fault tools serve.
func Prepare(ctx context.Context, dir string, cfg office.Config) error {
	d, err := newPrepared(dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	for _, p := range cast {
		if p.server != canberra && p.kind != liaison.PartyOffice {
			d.alliance.servers[p.name] = hq
		}
	}
	_, err = d.prepare(ctx, dir, cfg)
	return err
}

// PrepareNeighbours makes the folders of hq and of a neighbour, tokyo, that
// serves Japan. Neither has been started: tokyo knows no address of hq yet. later
// is a programme that is signed and not added.
func PrepareNeighbours(ctx context.Context, dir, neighbour string, cfg office.Config) (later office.ControlRequest, err error) {
	d, err := newPrepared(dir)
	if err != nil {
		return later, err
	}
	defer os.RemoveAll(d.dir)
	for _, p := range cast {
		if p.server != canberra && p.kind != liaison.PartyOffice && p.name != "Japan" {
			d.alliance.servers[p.name] = hq
		}
	}
	d.later = "nato-japan-directed"
	cfg.Office = tokyo
	if err := office.Init(neighbour, cfg, d.alliance.pin); err != nil {
		return later, err
	}
	if d.offices[tokyo], err = office.Open(ctx, neighbour, office.Options{}); err != nil {
		return later, err
	}
	list, err := d.prepare(ctx, dir, cfg)
	for i := range list {
		if list[i].alias == d.later {
			later = list[i].request()
		}
	}
	if err == nil {
		_, err = office.AddPeer(dir, d.offices[tokyo].Keys.SignedCard(""))
	}
	if err == nil {
		_, err = office.AddPeer(neighbour, d.offices[hq].Keys.SignedCard(""))
	}
	return later, errors.Join(err, d.offices[tokyo].Close())
}

// newPrepared founds an alliance whose keys are in a folder that is removed.
func newPrepared(dir string) (*demo, error) {
	d := &demo{Options: Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, offices: map[liaison.Office]*office.Office{}}
	var err error
	if d.dir, err = os.MkdirTemp(filepath.Dir(dir), "liaison-authority-"); err != nil {
		return nil, err
	}
	if d.alliance, err = found(d.dir, d.Now()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(d.dir))
	}
	return d, nil
}

// prepare makes hq, with what the authority signed and SampleAccount.
func (d *demo) prepare(ctx context.Context, dir string, cfg office.Config) (list []charter, err error) {
	cfg.Office = hq
	if err := office.Init(dir, cfg, d.alliance.pin); err != nil {
		return nil, err
	}
	o, err := office.Open(ctx, dir, office.Options{})
	if err != nil {
		return nil, err
	}
	d.offices[hq] = o
	err = o.Work(ctx, func(ctx context.Context) error {
		if list, err = d.addCharters(ctx); err != nil {
			return err
		}
		_, err := o.Operator().AddAccount(ctx, office.AccountRequest{
			Name: SampleAccount, By: d.alliance.parties["NATO"], Roles: "read,write", Password: SamplePassword,
		})
		return err
	})
	return list, errors.Join(err, o.Close())
}
