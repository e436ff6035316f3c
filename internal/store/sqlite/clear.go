package sqlite

import (
	"context"

	"github.com/liaison-office/liaison/internal/store"
)

// Clear implements store.Clearer.
func (s *Store) Clear(ctx context.Context, fn func(store.Tx) error) error {
	return s.Update(ctx, store.Lock{Alone: true}, func(w store.Tx) error {
		for _, table := range [...]string{"collections", "objects", "leaves", "trees", "gaps", "ids", "acts", "state"} {
			if err := w.(*tx).exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		return fn(w)
	})
}
