package storetest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/liaison-office/liaison/internal/store"
)

var keyed = []promise{
	{"state is what was last put, in the order of its keys", testState},
	{"buckets that have keys are listed in the order of their bytes", testBuckets},
	{"a key with an empty value is there", testEmptyValue},
	{"a value is a copy", testStateCopy},
	{"a value of a mebibyte is kept", testBigState},
}

func testState(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	model := map[string]map[string][]byte{"b": {}, "B": {}, "": {}}
	bucket := rapid.SampledFrom([]string{"b", "B", ""})
	key := rapid.OneOf(
		rapid.StringOfN(rapid.SampledFrom([]rune("aAbé/ \x00\U0010ffff")), 0, 4, -1),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{'a', 'b', 0, 0xfe, 0xff}), 0, 4), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(r *rapid.T) {
		s.update(store.Lock{}, func(tx store.Tx) error {
			for range rapid.IntRange(1, 6).Draw(r, "writes") {
				b, k := bucket.Draw(r, "bucket"), key.Draw(r, "key")
				if rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
					delete(model[b], k)
					if err := tx.Delete(b, k); err != nil {
						return err
					}
					continue
				}
				v := rapid.SliceOf(rapid.Byte()).Draw(r, "value")
				model[b][k] = v
				if err := tx.Put(b, k, v); err != nil {
					return err
				}
			}
			return nil
		})
		s.view(func(v store.View) error {
			b, prefix := bucket.Draw(r, "bucket"), key.Draw(r, "prefix")
			var got []string
			err := v.States(b, prefix, func(k string, value []byte) error {
				got = append(got, k)
				if !bytes.Equal(value, model[b][k]) {
					t.Errorf("%q is %q, want %q", k, value, model[b][k])
				}
				return nil
			})
			want := slices.DeleteFunc(slices.Sorted(maps.Keys(model[b])), func(k string) bool { return !strings.HasPrefix(k, prefix) })
			same(t, "keys", got, want)
			for _, k := range want {
				value, ok, err := v.State(b, k)
				if err != nil || !ok || !bytes.Equal(value, model[b][k]) {
					t.Errorf("%q is %q, %v, %v, want %q", k, value, ok, err, model[b][k])
				}
			}
			return err
		})
	})
}

func testBuckets(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	list := func(most int) (got []string) {
		s.view(func(v store.View) error {
			return v.Buckets(func(b string) error {
				if got = append(got, b); len(got) == most {
					return store.Stop
				}
				return nil
			})
		})
		return got
	}
	same(t, "buckets of an empty store", list(-1), []string(nil))
	want := []string{"", "B", "b", "b\x00", "bé", "b\xff"}
	s.update(store.Lock{}, func(tx store.Tx) error {
		for _, b := range want {
			for _, k := range []string{"1", "2"} {
				if err := tx.Put(b, k, nil); err != nil {
					return err
				}
			}
		}
		return errors.Join(tx.Put("a", "k", nil), tx.Delete("a", "k"))
	})
	same(t, "buckets", list(-1), want)
	same(t, "the first two", list(2), want[:2])
	s.view(func(v store.View) error { // a walk inside
		var keys []string
		err := v.Buckets(func(b string) error {
			return v.States(b, "2", func(k string, _ []byte) error {
				keys = append(keys, b+k)
				return nil
			})
		})
		same(t, "keys", keys, []string{"2", "B2", "b2", "b\x002", "bé2", "b\xff2"})
		return err
	})
}

func testEmptyValue(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "k", nil) })
	s.view(func(v store.View) error {
		value, ok, err := v.State("b", "k")
		same(t, "is there", ok, true)
		same(t, "length", len(value), 0)
		return err
	})
}

func testStateCopy(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "k", []byte("value")) })
	for range 2 {
		s.view(func(v store.View) error {
			value, _, err := v.State("b", "k")
			same(t, "value", value, []byte("value"))
			clear(value)
			return err
		})
	}
}

func testBigState(t *testing.T, engine Engine) {
	s := in{t, engine(t)()}
	big := bytes.Repeat([]byte("\x00\xffab"), 1<<18)
	s.update(store.Lock{}, func(tx store.Tx) error { return tx.Put("b", "k", big) })
	s.view(func(v store.View) error {
		value, _, err := v.State("b", "k")
		same(t, "is equal", bytes.Equal(value, big), true)
		return err
	})
}
