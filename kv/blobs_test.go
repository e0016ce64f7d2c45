package kv_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/exospherehost/orbit/kv"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestBlobsAreNamedByTheirContent(t *testing.T) {
	_, js := connect(t)
	ctx := t.Context()
	blobs := kv.NewBlobs(js)
	names := map[string]int{}
	for i, data := range [][]byte{{}, []byte("a"), []byte("b"), bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 300<<10)} {
		name, err := blobs.Put(ctx, data)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := names[name]; ok {
			t.Errorf("%d and %d have the same name", i, other)
		}
		names[name] = i
		if again, err := blobs.Put(ctx, data); err != nil || again != name {
			t.Errorf("stored again it is %s, at first %s: %v", again, name, err)
		}
		if got, err := blobs.Get(ctx, name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", len(data), len(got), err)
		}
	}
	store, err := js.ObjectStore(ctx, kv.BlobsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := store.List(ctx); err != nil || len(list) != len(names) {
		t.Errorf("%d blobs are stored, want %d: %v", len(list), len(names), err)
	}
}

func TestABlobStoredByManyAtOnceIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a read that has to be begun anew waits for some seconds
		_, js := connect(t)
		blobs := kv.NewBlobs(js)
		for round := range 5 {
			data := bytes.Repeat([]byte(fmt.Sprint(round)), 400<<10)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					name, err := blobs.Put(t.Context(), data)
					if err != nil {
						t.Errorf("store: %v", err)
						return
					}
					if got, err := blobs.Get(t.Context(), name); err != nil || !bytes.Equal(got, data) {
						t.Errorf("what was stored came back as %d of %d bytes: %v", len(got), len(data), err)
					}
				})
			}
			wg.Wait()
		}
	})
}
