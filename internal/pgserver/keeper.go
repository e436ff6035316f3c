package pgserver

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
)

// keep is what outlives this process: it reads the number of the server's first
// process, or 0, from a pipe that this process holds, and when the pipe ends it
// ends that server and removes the folder. A server that ends removes its
// postmaster.pid; one that was killed leaves a mark in the kernel, a segment of
// memory that the seventh line of that file names.
const keep = `
server=0
while read -r n; do server=$n; done
if [ "$server" != 0 ]; then
	kill -QUIT "$server" 2>/dev/null
	tries=0
	while [ $tries -lt 100 ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; tries=$((tries + 1)); done
	kill -KILL "$server" 2>/dev/null
fi
mark=$(sed -n '7s/^ *[0-9]* *//p' "$1/data/postmaster.pid" 2>/dev/null)
[ -z "$mark" ] || ipcrm -m $mark 2>/dev/null
for tries in 1 2 3 4 5; do
	rm -rf "$1" 2>/dev/null && exit 0
	sleep 0.2
done
`

// keeper is the shell that runs keep.
type keeper struct {
	cmd *exec.Cmd

	mu   sync.Mutex
	pipe io.WriteCloser // guarded by mu
}

func newKeeper(dir string) (*keeper, error) {
	cmd := exec.Command("/bin/sh", "-c", keep, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = apart()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("keep watch over a server: %w", err)
	}
	return &keeper{cmd: cmd, pipe: pipe}, nil
}

// watch says which process to end; 0 is none.
func (k *keeper) watch(pid int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fmt.Fprintln(k.pipe, pid)
}

// close removes the folder, and returns when it is gone. Later calls do
// nothing.
func (k *keeper) close() {
	k.mu.Lock()
	k.pipe.Close()
	k.mu.Unlock()
	k.cmd.Wait()
}
