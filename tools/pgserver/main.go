// Command pgserver runs a throw-away PostgreSQL until it is interrupted, and
// prints the URL of its database: to try an office on one, or to measure.
//
//	go run ./tools/pgserver              syncs what it acknowledges
//	go run ./tools/pgserver -standby     and a standby has it too before it does
//	go run ./tools/pgserver -tcp         by TCP on 127.0.0.1, with a password
//
// # What it does not do
//
// It keeps nothing: when it ends, the server's folder is gone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/liaison-office/liaison/internal/pgserver"
)

func main() {
	var (
		config  = pgserver.Config{Durable: true, Checksums: true}
		standby = flag.Bool("standby", false, "with a synchronous standby (remote_apply)")
	)
	flag.BoolVar(&config.TCP, "tcp", false, "listen on 127.0.0.1, with a password")
	flag.StringVar(&config.Folder, "folder", "", "where its folder is made; one of temporary files if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, config, *standby); err != nil {
		fmt.Fprintln(os.Stderr, "pgserver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config pgserver.Config, standby bool) error {
	primary, err := pgserver.New(ctx, config)
	if err != nil {
		return err
	}
	defer primary.Close()
	url := primary.URL()
	if standby {
		second, err := primary.Standby(ctx, config)
		if err != nil {
			return err
		}
		defer second.Close()
		if err := primary.Synchronous(ctx); err != nil {
			return err
		}
		url = pgserver.URL([]*pgserver.Server{primary, second})
	}
	fmt.Println(url)
	<-ctx.Done()
	return nil
}
