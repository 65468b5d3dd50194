package handlers

import (
	"context"
	"sync/atomic"

	"github.com/cdfoundation/portal/models"
)

// kept is what many pages show and is therefore read once for a version of the content. Nobody changes it.
type kept[T any] struct {
	last atomic.Pointer[keptAt[T]]
}

type keptAt[T any] struct {
	value   T
	content uint64
}

// get is what was read at this version of the content, or what read returns now.
func (k *kept[T]) get(ctx context.Context, store *models.Store, read func(context.Context) (T, error)) (T, error) {
	version, unknown := store.ContentVersion(ctx)
	if last := k.last.Load(); unknown == nil && last != nil && last.content == version.Content {
		return last.value, nil
	}
	value, err := read(ctx)
	if err == nil && unknown == nil {
		k.last.Store(&keptAt[T]{value, version.Content})
	}
	return value, err
}
