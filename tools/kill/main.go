// Command kill ends a writing office with kill -9, again and again, each time
// while a POST is unanswered, and then asks: is every acknowledged object there,
// once, byte for byte, and does every receipt verify?
//
// What was acknowledged is written to another file system and synced before the
// next request. The seed decides the moments; it is printed.
//
// It does not cut the power and injects no disk errors.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Kills   int    `default:"200" help:"How often the office is killed."`
	Writers int    `default:"3" help:"Connections that POST."`
	Objects int    `default:"5" help:"Objects of an envelope."`
	Seed    uint64 `help:"Decides when to kill; default: the time."`
	Oracle  string `help:"Folder for what was acknowledged; default: a memory file system, if there is one."`

	Serve string `hidden:"" help:"Serve the office of this folder."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("kill"), kong.Description("kill -9 of a writing office: nothing acknowledged is lost."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	if o.Serve != "" {
		return serve(ctx, o.Serve)
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Oracle == "" {
		o.Oracle = "/dev/shm"
		if _, err := os.Stat(o.Oracle); err != nil {
			o.Oracle = os.TempDir()
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := campaign(ctx, o, []string{self, "--serve"})
	if err != nil {
		return err
	}
	fmt.Println(r)
	return r.err()
}
