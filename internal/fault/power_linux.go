package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/liaison-office/liaison/internal/fault/disk"
)

// cutsOfImage is how often the power of one file system is cut before what is
// left is checked and a new one made.
const cutsOfImage = 20

// imageBytes is the size of a file system that loses its power.
const imageBytes = 192 << 20

// powerCuts lets an office write on a file system in an image, stops it while a
// POST is unanswered, copies the image and goes on with the copy: what was in
// the page cache of the first and not synced is gone, as when the power fails.
func powerCuts(ctx context.Context, c *Campaign, r *Result) error {
	for left := c.count(r.Fault, 20, 300); left > 0; left -= cutsOfImage {
		if err := c.cutImage(ctx, r, min(left, cutsOfImage)); err != nil {
			return err
		}
	}
	return nil
}

// unsyncedCuts does the same to an office that syncs nothing.
func unsyncedCuts(ctx context.Context, c *Campaign, r *Result) error {
	if !disk.On {
		return NotRun("this program was built without failing disks: make faults")
	}
	r.MustFail = true
	for range c.count(r.Fault, 3, 10) {
		if err := c.cutImage(ctx, r, 1, disk.EnvUnsynced+"=1"); err != nil {
			return err
		}
		if r.Lost+r.Wrong > 0 {
			break
		}
	}
	r.Note("%d of %d acknowledged objects were found to be lost, and %d other promises broken, as it must be", r.Lost, r.Acknowledged, r.Wrong)
	return nil
}

// cutImage makes an office on an image, cuts its power so often, and checks it.
func (c *Campaign) cutImage(ctx context.Context, r *Result, cuts int, env ...string) error {
	i, err := c.newImage(ctx, r.Fault)
	if err != nil {
		return err
	}
	defer i.close()
	folder := filepath.Join(i.mount, "office")
	if err := copyOffice(folder, c.ground.hq); err != nil {
		return err
	}
	if err := run(ctx, "sync", "-f", i.mount); err != nil {
		return err
	}
	s, err := c.siteIn(r, folder)
	if err != nil {
		return err
	}
	defer s.Oracle.Close()
	random := rand.New(rand.NewPCG(c.Seed, uint64(5+r.Count)))
	for range cuts {
		p, err := s.Start(ctx, env...)
		if err != nil && errors.Is(err, errDied) {
			r.Fail(&r.Wrong, "after a power cut the office does not start: %v", err)
			return nil
		}
		if err != nil {
			return err
		}
		moment := time.Duration(random.Int64N(int64(maxMoment)))
		s.whileWriting(ctx, p, func(over <-chan struct{}) {
			s.awaitMoment(over, moment)
			err = errors.Join(p.freeze(), i.copy(ctx))
			p.Kill()
		})
		if err = errors.Join(err, i.exchange(ctx)); err != nil {
			return err
		}
		r.Count++
	}
	return s.Check(ctx)
}

// image is a file system in a file.
type image struct {
	file, mount string
	mounted     bool
}

// newImage makes one, in memory where there is room: it is copied often.
func (c *Campaign) newImage(ctx context.Context, name string) (*image, error) {
	if os.Geteuid() != 0 {
		return nil, NotRun("mounting the image of a file system needs root")
	}
	dir, err := os.MkdirTemp(memory(c.Dir), "liaison-image-")
	if err != nil {
		return nil, err
	}
	i := &image{file: filepath.Join(dir, "image"), mount: filepath.Join(dir, "mounted")}
	err = os.Mkdir(i.mount, 0o700)
	if err == nil {
		err = os.WriteFile(i.file, nil, 0o600)
	}
	if err == nil {
		err = os.Truncate(i.file, imageBytes)
	}
	if err == nil {
		err = run(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", i.file)
	}
	if err == nil {
		err = i.attach(ctx)
	}
	if err != nil {
		i.close()
		return nil, NotRun("a file system in an image cannot be made and mounted here: %v", err)
	}
	return i, nil
}

func (i *image) attach(ctx context.Context) error {
	err := run(ctx, "mount", "-o", "loop", i.file, i.mount)
	i.mounted = err == nil
	return err
}

func (i *image) detach() error {
	if !i.mounted {
		return nil
	}
	i.mounted = false
	return run(context.Background(), "umount", "-d", i.mount)
}

func (i *image) copied() string { return i.file + ".cut" }

// copy copies what is on the image now.
func (i *image) copy(ctx context.Context) error {
	return run(ctx, "cp", "--sparse=always", i.file, i.copied())
}

// exchange goes on with the copy.
func (i *image) exchange(ctx context.Context) error {
	if err := errors.Join(i.detach(), os.Rename(i.copied(), i.file)); err != nil {
		return err
	}
	return i.attach(ctx)
}

func (i *image) close() {
	i.detach()
	os.RemoveAll(filepath.Dir(i.file))
}

// freeze stops every thread of a process: none is in the middle of a sync.
func (p *Process) freeze() error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for end := time.Now().Add(startPatience); time.Now().Before(end); {
		stopped, err := allStopped(p.cmd.Process.Pid)
		if err != nil || stopped {
			return err
		}
		time.Sleep(100 * time.Microsecond)
	}
	return errors.New("the office cannot be stopped")
}

func allStopped(pid int) (bool, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if !strings.HasPrefix(rest, "T") {
			return false, nil
		}
	}
	return len(tasks) > 0, nil
}
