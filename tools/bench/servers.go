package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/liaison-office/liaison/internal/office"
)

// serveOffice runs the office of a folder and prints its address.
func serveOffice(ctx context.Context, dir string) error {
	o, err := office.Open(ctx, dir, office.Options{})
	if err != nil {
		return err
	}
	defer o.Close()
	if err := o.Listen(); err != nil {
		return err
	}
	address, _ := o.Addresses()
	fmt.Println(address)
	return o.Run(ctx)
}

// serveMemory is the limit of reading: it answers every request with the bytes
// of a file, from memory, with the headers a page has.
func serveMemory(ctx context.Context, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	return s.Serve(l)
}

// server is a child process that printed its address.
type server struct {
	cmd     *exec.Cmd
	address string
}

func startServer(ctx context.Context, args ...string) (*server, error) {
	cmd, err := child(ctx, args...)
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%v printed no address: %w", args, err)
	}
	return &server{cmd: cmd, address: strings.TrimSpace(line)}, nil
}

func (s *server) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// cpu is the time the process has used, user and system.
func (s *server) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick
}
