package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/exospherehost/orbit/kv"
)

// entries makes n entries of about size bytes each, with gaps between their sequences.
func entries(n, size int) []kv.Entry {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]kv.Entry, n)
	for i := range out {
		data := make([]byte, size/2+rnd.IntN(size+1))
		for k := range data {
			data[k] = byte(rnd.Uint32())
		}
		out[i] = kv.Entry{Seq: uint64(10 + 3*i), Time: time.Unix(1700000000, int64(i)).UTC(), Key: fmt.Sprintf("bundle%d", i), Data: data}
	}
	return out
}

func TestArchiveGivesBackWhatWasPutAway(t *testing.T) {
	_, js := connect(t)
	blobs := kv.NewBlobs(js).Of("somerun")
	for name, want := range map[string][]kv.Entry{"none": nil, "one": entries(1, 10), "one piece": entries(100, 100), "several pieces": entries(40, 100<<10)} {
		t.Run(name, func(t *testing.T) {
			w := blobs.NewArchive()
			for _, e := range want {
				if err := w.Add(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			a, err := w.Close(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if a.Entries != len(want) || len(want) > 0 && a.Last != want[len(want)-1].Seq {
				t.Errorf("it says %+v", a)
			}
			r, err := blobs.OpenArchive(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			read := func(from uint64) (got []kv.Entry) {
				if err := r.Each(t.Context(), from, func(e kv.Entry) error { got = append(got, e); return nil }); err != nil {
					t.Error(err)
				}
				return got
			}
			if got := read(0); !reflect.DeepEqual(got, want) {
				t.Errorf("%d entries were put away, and %d others are there", len(want), len(got))
			}
			for i := 0; i < len(want); i += max(1, len(want)/7) {
				if got := read(want[i].Seq - 1); !reflect.DeepEqual(got, want[i:]) {
					t.Errorf("from %d on there are %d entries, want %d", want[i].Seq, len(got), len(want)-i)
				}
				if e, err := r.Get(t.Context(), want[i].Key); err != nil || !bytes.Equal(e.Data, want[i].Data) {
					t.Errorf("%s: %d bytes, %v", want[i].Key, len(e.Data), err)
				}
			}
			if _, err := r.Get(t.Context(), "nobody"); !errors.Is(err, kv.ErrNotFound) {
				t.Errorf("a key that is not there: %v", err)
			}
			if several := len(want) > 0 && len(want[0].Data) > 1000; several != (len(r.Blobs()) > 1) {
				t.Errorf("%d pieces of their own", len(r.Blobs()))
			}
		})
	}
}

func TestDamagedArchiveIsAnErrorAndNoPanic(t *testing.T) {
	_, js := connect(t)
	blobs := kv.NewBlobs(js)
	for _, data := range [][]byte{nil, []byte("no archive"), {0x1f, 0x8b, 8, 0}} {
		name, err := blobs.Put(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blobs.OpenArchive(t.Context(), &kv.Archive{Blob: name}); err == nil || !contains(err.Error(), "is damaged") {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestOnlyABlobThatBelongsToARunIsRemoved(t *testing.T) {
	_, js := connect(t)
	blobs := kv.NewBlobs(js)
	ctx := t.Context()
	shared, err1 := blobs.Put(ctx, []byte("the same"))
	mine, err2 := blobs.Of("run1").Put(ctx, []byte("the same"))
	others, err3 := blobs.Of("run2").Put(ctx, []byte("the same"))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{shared, mine, mine} {
		if err := blobs.Remove(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := blobs.Get(ctx, mine); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("the blob that was removed: %v", err)
	}
	for _, name := range []string{shared, others} {
		if got, err := blobs.Get(ctx, name); err != nil || string(got) != "the same" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	s, err := js.Stream(ctx, kv.BlobsStream)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 4 { // two blobs, each with a piece and a name
		t.Errorf("%d messages are left of two blobs", n)
	}
}

func TestErasedKeyLeavesNoTraceAndAChangedOneStays(t *testing.T) {
	nc, js := connect(t)
	b := kv.Open[kv.Run](nc, js, kv.RunsBucket)
	ctx := t.Context()
	doc := &kv.Run{}
	rev, err := b.Create(ctx, "k", doc)
	if err != nil {
		t.Fatal(err)
	}
	later, err := b.Update(ctx, "k", doc, rev)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Erase(ctx, "k", rev); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Get(ctx, "k"); err != nil {
		t.Errorf("it was changed after the revision, and is gone: %v", err)
	}
	if err := b.Erase(ctx, "k", later); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("erased: %v", err)
	}
	s, err := js.Stream(ctx, b.Stream())
	if err != nil || s.CachedInfo().State.Msgs != 0 {
		t.Errorf("%d messages are left, %v", s.CachedInfo().State.Msgs, err)
	}
	if _, err := b.Create(ctx, "k", doc); err != nil {
		t.Errorf("created anew: %v", err)
	}
}
