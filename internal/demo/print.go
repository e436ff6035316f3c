package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/taxii"
)

// say prints a line for people.
func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.Out, format+"\n", args...) }

// emit prints a line for programs.
func (d *demo) emit(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types below are all there is
	}
	fmt.Fprintf(d.Out, "%s\n", b)
}

// hello says where everything happens.
func (d *demo) hello() {
	if d.JSON {
		d.emit(struct {
			Folder string `json:"folder"`
		}{d.dir})
		return
	}
	fate := ", removed at the end (--folder keeps one)"
	if d.Options.Dir != "" {
		fate = ""
	}
	d.say("A sample alliance on this machine; folder %s%s", d.dir, fate)
}

// tellStep prints what a step did, or why it does not hold, and how long it
// took.
func (d *demo) tellStep(name, what string, took time.Duration, err error) {
	switch took = took.Round(time.Millisecond); {
	case d.JSON:
		why := ""
		if err != nil {
			why = err.Error()
		}
		d.emit(struct {
			Step    string  `json:"step"`
			Did     string  `json:"did,omitzero"`
			Error   string  `json:"error,omitzero"`
			Seconds float64 `json:"seconds"`
		}{name, what, why, took.Seconds()})
	case err != nil:
		d.say("%-13s FAILED: %v (%s)", name, err, took)
	default:
		d.say("%-13s %s (%s)", name, what, took)
	}
}

// reached is an office that stays up and who may log in there.
type reached struct {
	Office   liaison.Office `json:"office"`
	TAXII    string         `json:"taxii"`
	Accounts []string       `json:"accounts"`
	Password string         `json:"password"`
}

func (d *demo) reached(name liaison.Office) reached {
	address, _ := d.offices[name].Addresses()
	r := reached{Office: name, TAXII: "http://" + address + taxii.DiscoveryPath, Password: samplePassword}
	for _, l := range logins {
		if l.office == name {
			r.Accounts = append(r.Accounts, l.name)
		}
	}
	return r
}

// goodbye prints where everything is and what to try.
func (d *demo) goodbye() {
	if !d.JSON {
		d.say("\nThe offices stay up; Ctrl-C ends them. TAXII 2.1 with HTTP Basic, password %q:", samplePassword)
	}
	for _, name := range []liaison.Office{hq, tokyo, seoul} {
		r := d.reached(name)
		if d.JSON {
			d.emit(r)
		} else {
			d.say("  %-18s %s  accounts: %s", r.Office, r.TAXII, strings.Join(r.Accounts, ", "))
		}
	}
	if !d.JSON {
		d.hints()
	}
}

// hints are commands that work as they are printed, while the offices stay up.
func (d *demo) hints() {
	address, _ := d.offices[tokyo].Addresses()
	d.say("\nTry:  curl -u japan:%s -H 'Accept: %s' http://%s%scollections/%s/objects/", samplePassword, taxii.MediaType, address, taxii.RootPath, d.collection)
	d.say("      LIAISON_PASSWORD=%s %s pull --url http://%s%s -u japan --collection %s", samplePassword, d.Program, address, taxii.DiscoveryPath, d.collection)
	d.say("      %s verify %s --authority %s", d.Program, d.proofFile(), d.pinFile())
	d.say("      %s --dir %s programme list", d.Program, d.offices[tokyo].Dir)
}
