package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liaison-office/liaison"
	"github.com/liaison-office/liaison/internal/store"
)

// A log that is found to be at fault is stopped: nothing is appended to it and
// nothing of it signed. Who found it remembers that, and tells the other
// processes by a mark in the store, which each of them reads before it writes or
// signs. Open takes the mark away when the log agrees with its anchor again. An
// anchor that is missing, or is none, says nothing about the log, and stops it in
// the process that looked for it.

// markedStop is why a log is stopped, in the words of the process that found it.
type markedStop string

func (m markedStop) Error() string      { return string(m) }
func (markedStop) Is(target error) bool { return target == ErrBehind }

// fence is what a transaction asks first.
type fence struct {
	register Register
	stopped  map[liaison.CollectionID]markedStop
	erased   map[liaison.CollectionID]bool // something is, of these
	restored *store.Restore                // nil where nothing is to be found out
}

func readFence(v store.View) (f fence, err error) {
	if f.restored, err = store.RestoreMark(v); err != nil {
		return f, err
	}
	f.stopped, f.erased = map[liaison.CollectionID]markedStop{}, map[liaison.CollectionID]bool{}
	err = v.States(bucketFence, "", func(key string, value []byte) error {
		name, stopped := strings.CutPrefix(key, prefixStopped)
		erased := false
		if !stopped {
			name, erased = strings.CutPrefix(key, prefixErased)
		}
		if !stopped && !erased {
			f.register = Register(value)
			return nil
		}
		c, err := liaison.ParseCollectionID(name)
		if err != nil {
			return fmt.Errorf("state %s/%s: %w", bucketFence, key, err)
		}
		if erased {
			f.erased[c] = true
			return nil
		}
		f.stopped[c] = markedStop(value)
		return nil
	})
	return f, err
}

// stoppedErr is why this process has stopped a log; nil if it has not.
func (j *Journal) stoppedErr(c liaison.CollectionID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	why := j.stopped[c]
	if why == nil && j.restored != nil {
		why = ErrRestored
	}
	return stopsLog(c, why)
}

// foundAtFault is why a log itself is stopped, by this process or another: nil
// where only the store was restored.
func (j *Journal) foundAtFault(v store.View) (map[liaison.CollectionID]error, error) {
	f, err := readFence(v)
	if err != nil {
		return nil, err
	}
	list := map[liaison.CollectionID]error{}
	for c, why := range f.stopped {
		list[c] = why
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for c, why := range j.stopped {
		list[c] = why
	}
	return list, nil
}

// resume ends the stop of a log, for every process. Run is told too: it may be
// about to write why the log is stopped.
func (j *Journal) resume(ctx context.Context, c liaison.CollectionID) error {
	err := j.Store.Update(ctx, store.Lock{Collections: []liaison.CollectionID{c}}, func(tx store.Tx) error {
		return tx.Delete(bucketFence, prefixStopped+c.String())
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	_, pending := j.marks[c]
	delete(j.stopped, c)
	if pending {
		j.note(c, mark{gone: true})
	}
	j.mu.Unlock()
	j.Log.Info("collection goes on", "collection", c.String())
	j.wake(c)
	return nil
}

// mayWrite is why a log is stopped, by this process or another.
func (j *Journal) mayWrite(f fence, c liaison.CollectionID) error {
	if why, marked := f.stopped[c]; marked {
		return stopsLog(c, why)
	}
	if err := j.restoredSince(f.restored); err != nil {
		return stopsLog(c, err)
	}
	return j.stoppedErr(c)
}

// restoredSince is ErrRestored where a store was restored that this process had
// opened when it was empty. From then on it is in doubt as if it had opened it now.
func (j *Journal) restoredSince(mark *store.Restore) error {
	switch {
	case mark == nil:
		return nil
	case mark.Half:
		return fmt.Errorf("%w (%w)", ErrRestored, mark.Refusal())
	case j.Restored() == nil:
		j.setRestored(mark)
	}
	return nil // stoppedErr says so
}

// maySign is mayWrite in a snapshot.
func (j *Journal) maySign(v store.View, c liaison.CollectionID) error {
	if err := j.stoppedErr(c); err != nil {
		return err
	}
	if mark, err := store.RestoreMark(v); err != nil {
		return err
	} else if mark != nil {
		return stopsLog(c, ErrRestored)
	}
	why, marked, err := v.State(bucketFence, prefixStopped+c.String())
	if err != nil || !marked {
		return err
	}
	return stopsLog(c, markedStop(why))
}

func stopsLog(c liaison.CollectionID, why error) error {
	if why == nil {
		return nil
	}
	return fmt.Errorf("collection %s: %w", c, why)
}

// stop stops a log.
func (j *Journal) stop(c liaison.CollectionID, err error) {
	j.Log.Error("collection stopped", "collection", c.String(), "err", err)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped[c] = err
	if errors.Is(err, errAtFault) || errors.Is(err, errTree) {
		j.note(c, mark{why: err.Error()})
	}
}

// mark is what Run writes about a log into the store: why it is stopped, or that
// the mark that says so, or any, is gone.
type mark struct {
	why  string
	gone bool
}

// note leaves a mark for Run. The caller holds mu.
func (j *Journal) note(c liaison.CollectionID, m mark) {
	j.marks[c] = m
	select {
	case j.marked <- struct{}{}:
	default:
	}
}

// markAgain is when a mark is tried again that could not be written.
const markAgain = 5 * time.Second

// writeMarks tells the store what this process has found. What cannot be written
// is kept, and again says when to try.
func (j *Journal) writeMarks(ctx context.Context) (again <-chan time.Time) {
	for {
		c, m, ok := j.nextMark()
		if !ok {
			return nil
		}
		err := j.Store.Update(ctx, store.Lock{Collections: []liaison.CollectionID{c}}, func(tx store.Tx) error { return writeMark(tx, c, m) })
		if err != nil {
			j.Log.Error("the store could not be told which collections are stopped: other processes are not kept from writing them", "collection", c.String(), "err", err)
			return time.After(markAgain)
		}
		j.mu.Lock()
		if j.marks[c] == m {
			delete(j.marks, c)
		}
		j.mu.Unlock()
	}
}

func (j *Journal) nextMark() (c liaison.CollectionID, m mark, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for c, m = range j.marks {
		return c, m, true
	}
	return c, m, false
}

func writeMark(tx store.Tx, c liaison.CollectionID, m mark) error {
	key := prefixStopped + c.String()
	if !m.gone {
		return tx.Put(bucketFence, key, []byte(m.why))
	}
	why, marked, err := tx.State(bucketFence, key)
	if err != nil || !marked || m.why != "" && string(why) != m.why {
		return err // somebody has found more since
	}
	return tx.Delete(bucketFence, key)
}

// reviewMarks takes away the marks of logs that agree with their anchors again,
// and whose leaves since then are whole.
func (j *Journal) reviewMarks(v store.View) error {
	f, err := readFence(v)
	if err != nil {
		return err
	}
	for c, why := range f.stopped {
		if err := j.review(v, c); err != nil {
			j.Log.Error("collection stays stopped", "collection", c.String(), "err", err, "since", string(why))
			continue
		}
		j.Log.Info("a stopped collection agrees with the checkpoint kept outside the store again, and goes on", "collection", c.String(), "was", string(why))
		j.mu.Lock()
		j.note(c, mark{why: string(why), gone: true})
		j.mu.Unlock()
	}
	return nil
}

// review is why a log stays stopped.
func (j *Journal) review(v store.View, c liaison.CollectionID) error {
	if err := j.stoppedErr(c); err != nil {
		return err
	}
	pos, err := v.Position(c)
	if err != nil {
		return err
	}
	done := j.verifiedOf(c)
	done.mu.Lock()
	defer done.mu.Unlock()
	return verifyLeaves(v, c, done.Size, pos.Size)
}
