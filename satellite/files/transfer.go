package files

import (
	"context"
	"errors"

	"github.com/exospherehost/orbit"
)

// end is one end of a move.
type end struct {
	store store
	at    place
}

// transfer moves one file. It may be cut off anywhere and begun again: the original is deleted when the copy is whole and
// in place, and a copy whose original is gone is what an earlier attempt has left when it was done.
type transfer struct {
	from, to end
	size     int64 // of the original, as an earlier step saw it; -1 where that is not known
}

func (t *transfer) run(ctx context.Context) error {
	original, err := t.from.store.stat(ctx, t.from.at)
	if isNotFound(err) {
		return t.done(ctx, err)
	}
	if err != nil {
		return err
	}
	if r, ok := t.within().(renamer); ok {
		err := r.rename(ctx, t.from.at, t.to.at)
		if isNotFound(err) {
			return t.done(ctx, err)
		}
		if !errors.Is(err, errOtherDisk) {
			return err
		}
	}
	err = t.copy(ctx, original)
	if isNotFound(err) { // an attempt that was given up may still have been at it
		return t.done(ctx, err)
	}
	if err != nil {
		return err
	}
	if err := t.compare(ctx, original); err != nil {
		return err
	}
	// Crash before the next line: both files are there, and the next attempt copies again and comes back here.
	_, err = t.from.store.remove(ctx, t.from.at)
	return err
}

// within gives the store that holds both ends; nil where they are in two.
func (t *transfer) within() store {
	if t.from.store == t.to.store && (t.from.at.of().naming == inBucket || t.from.at.bucket == t.to.at.bucket) {
		return t.from.store
	}
	return nil
}

// done judges whether an earlier attempt has moved the file that is not there: missing says so.
func (t *transfer) done(ctx context.Context, missing error) error {
	copied, err := t.to.store.stat(ctx, t.to.at)
	if isNotFound(err) {
		return missing
	}
	if err != nil {
		return err
	}
	if t.size >= 0 && copied.size != t.size {
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found, and %s holds another file, of %d bytes instead of %d; check both paths",
			t.from.at.uri(), t.to.at.uri(), copied.size, t.size)
	}
	return nil
}

// copy makes the copy, by the store alone where it can.
func (t *transfer) copy(ctx context.Context, original found) error {
	if c, ok := t.within().(copier); ok {
		return c.copy(ctx, original, t.to.at)
	}
	body, size, err := t.from.store.open(ctx, t.from.at)
	if err != nil {
		return err
	}
	defer body.Close()
	return t.to.store.create(ctx, t.to.at, body, size)
}

// compare makes sure that the copy is whole, and that the original is still the file that was copied: another one that
// has come in its place meanwhile must not be deleted.
func (t *transfer) compare(ctx context.Context, original found) error {
	copied, err := t.to.store.stat(ctx, t.to.at)
	if err != nil {
		return err
	}
	now, err := t.from.store.stat(ctx, t.from.at)
	if isNotFound(err) {
		return nil // someone else has deleted it; the copy stays
	}
	if err != nil {
		return err
	}
	if now.etag != original.etag || now.size != original.size || !now.modified.Equal(original.modified) {
		return orbit.Transient(orbit.CodeUnavailable, "%s has changed while it was copied; it stays, and is moved again", t.from.at.uri())
	}
	if copied.size != original.size {
		return orbit.Transient(orbit.CodeUnavailable, "%s has %d bytes and its copy %s has %d; the original stays, and is moved again",
			t.from.at.uri(), original.size, t.to.at.uri(), copied.size)
	}
	return nil
}
