package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/liaison-office/liaison/internal/desk"
	"github.com/liaison-office/liaison/internal/office"
)

type logCmd struct {
	List   logListCmd   `cmd:"" help:"Show in which logs of this office nothing is accepted or signed, why, and for whom they wait."`
	Reopen logReopenCmd `cmd:"" help:"Let a stopped log go on without what no neighbour returns: open its next generation."`
}

type logListCmd struct{}

func (c *logListCmd) Help() string {
	return `A log is stopped when the store does not hold what this office has signed, as after an old backup was restored.
Serve the office: it asks its neighbours, who hold the entries, and goes on by itself when they have returned all
of them. Reading goes on meanwhile, and so do other logs.`
}

func (c *logListCmd) Run(a *app) error {
	var r office.LogsReply
	if err := a.call("log/list", struct{}{}, &r); err != nil {
		return err
	}
	return a.show(r, func() {
		if r.Restored != 0 {
			a.say("the store was restored from a backup of %s: nothing is accepted or signed in any log until %s said what they know", r.Restored, names(r.Silent, "the neighbours"))
		}
		for _, l := range r.Stopped {
			a.say("%s", logLine(l))
		}
		if len(r.Stopped) == 0 && r.Restored == 0 {
			a.say("no log is stopped")
		}
	})
}

func logLine(l desk.StoppedLog) string {
	line := fmt.Sprintf("%s %s: holds %d entries", l.Collection, l.Name, l.Held)
	if l.Signed > 0 {
		line += fmt.Sprintf(", %d were signed", l.Signed)
	}
	line += "\n  " + l.Why
	if l.Lost > 0 {
		line += fmt.Sprintf("\n  neighbours have returned %d of %d", l.Returned, l.Lost)
	}
	if l.Waits != "" {
		line += "\n  " + l.Waits
	}
	if len(l.Silent) > 0 {
		line += "\n  not heard of since the office was started: " + names(l.Silent, "")
	}
	return line
}

func names[S ~string](list []S, none string) string {
	if len(list) == 0 {
		return none
	}
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

type logReopenCmd struct {
	Collection string `help:"The log, by id or as programme.area."`
	All        bool   `help:"Every log that is stopped, and after a restore wait for nobody any further."`
	Yes        bool   `help:"Do not ask."`
}

func (c *logReopenCmd) Help() string {
	return `What the store holds stays; the next entry names the last checkpoint that is known to be signed, and the log goes on
under the name of its next generation. Neighbours verify it from its beginning. What they have of the lost part comes
back from their logs, as entries by relay; what nobody has is lost for good, and has to be released again. If a
neighbour has verified more than that checkpoint, it follows the log only when its operator says so
(liaison peer resume): so wait for neighbours that are away, if you can.`
}

func (c *logReopenCmd) Run(a *app) error {
	if c.All == (c.Collection != "") {
		return &usageError{"name a log (--collection) or all that are stopped (--all)"}
	}
	var r office.LogsReply
	if err := a.call("log/list", struct{}{}, &r); err != nil {
		return err
	}
	var list []desk.StoppedLog
	for _, l := range r.Stopped {
		if c.All || c.Collection == l.Name || c.Collection == l.Collection.String() {
			list = append(list, l)
		}
	}
	if len(list) == 0 && (!c.All || r.Restored == 0) {
		return errors.New("no such log is stopped (liaison log list)")
	}
	if err := c.confirm(a, list, r); err != nil {
		return err
	}
	return c.reopen(a, list, c.All && r.Restored != 0)
}

// confirm shows what would be lost, and asks.
func (c *logReopenCmd) confirm(a *app, list []desk.StoppedLog, r office.LogsReply) error {
	for _, l := range list {
		a.note("%s", logLine(l))
		if l.Lost > 0 {
			a.note("  %d entries would not be in the log any more; those that a neighbour has come back from its log", l.Lost)
		}
	}
	if c.All && len(r.Silent) > 0 {
		a.note("not waited for: %s", names(r.Silent, ""))
	}
	if c.Yes {
		return nil
	}
	if _, ok := a.terminal(); !ok {
		return errors.New("not confirmed: read the above, then repeat with --yes")
	}
	answer, err := a.ask("Go on without what is missing? [yes/no]", shown)
	if err == nil && !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		err = errors.New("not confirmed: nothing was changed")
	}
	return err
}

// reopenedLog is what became of a log.
type reopenedLog struct {
	Collection string `json:"collection,omitzero"`
	Result     string `json:"result"`
}

func (c *logReopenCmd) reopen(a *app, list []desk.StoppedLog, restored bool) error {
	requests := make([]office.ReopenRequest, 0, len(list)+1)
	for _, l := range list {
		requests = append(requests, office.ReopenRequest{Collection: l.Collection.String()})
	}
	if restored {
		requests = append(requests, office.ReopenRequest{})
	}
	var done []reopenedLog
	for _, q := range requests {
		var o desk.Outcome
		if err := a.call("log/reopen", q, &o); err != nil {
			return err
		}
		done = append(done, reopenedLog{q.Collection, o.Reason})
	}
	return a.show(done, func() {
		for _, d := range done {
			a.say("%s", strings.TrimSpace(d.Collection+" "+d.Result))
		}
	})
}
