package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/exospherehost/orbit"
)

// shelf keeps blobs. It may be told to hold them back, or to fail.
type shelf struct {
	held  chan struct{} // nil: it holds none back
	fail  int           // the number of the blob that it does not take, from 1
	count int
	blobs map[string][]byte
}

var errFull = errors.New("the shelf is full")

func (s *shelf) Put(_ context.Context, data []byte) (string, error) {
	if s.held != nil {
		<-s.held
	}
	if s.count++; s.count == s.fail {
		return "", errFull
	}
	name := fmt.Sprintf("blob-%d", s.count)
	s.blobs[name] = bytes.Clone(data)
	return name, nil
}

// objectOf is a large object, so that three of them are more than a chunk.
func objectOf(n int) orbit.Object {
	return orbit.MustObject(map[string]any{"n": n, "text": string(bytes.Repeat([]byte("x"), chunkBytes/3))})
}

// shelved gives the numbers of the objects in a payload's chunks.
func shelved(t *testing.T, s *shelf, p orbit.Payload) (numbers []int) {
	t.Helper()
	for _, c := range p.Chunks {
		data := s.blobs[c.Blob]
		if len(data) != c.Size {
			t.Fatalf("%s has %d bytes, not %d", c.Blob, len(data), c.Size)
		}
		for n := 0; len(data) > 0; n++ {
			o, _, rest, ok := orbit.NextOutput(data)
			v, err := o.Value()
			if !ok || err != nil || n >= c.Count {
				t.Fatalf("object %d of %s: %v, %v", n, c.Blob, ok, err)
			}
			numbers, data = append(numbers, v.(map[string]any)["n"].(int)), rest
		}
	}
	return numbers
}

func TestChunksKeepTheirOrderAndContent(t *testing.T) {
	for name, ahead := range map[string]bool{"one after the other": false, "ahead": true} {
		t.Run(name, func(t *testing.T) {
			store := &shelf{blobs: map[string][]byte{}}
			s := spool{blobs: store, ahead: ahead}
			s.begin()
			for i := range 20 {
				if err := s.add(t.Context(), objectOf(i)); err != nil {
					t.Fatal(err)
				}
			}
			p, err := s.payload(t.Context())
			if err != nil || len(p.Chunks) < 5 {
				t.Fatalf("%d chunks, %v", len(p.Chunks), err)
			}
			if got := fmt.Sprint(shelved(t, store, p)); got != "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19]" {
				t.Error(got)
			}
		})
	}
}

func TestTheNextChunkIsFilledWhileOneIsStored(t *testing.T) {
	store := &shelf{blobs: map[string][]byte{}, held: make(chan struct{})}
	s := spool{blobs: store, ahead: true}
	s.begin()
	for i := range 5 { // the first chunk has three, and is not stored yet
		if err := s.add(t.Context(), objectOf(i)); err != nil {
			t.Fatal(err)
		}
	}
	close(store.held)
	p, err := s.payload(t.Context())
	if got := fmt.Sprint(shelved(t, store, p)); got != "[0 1 2 3 4]" || err != nil {
		t.Error(got, err)
	}
}

func TestARollbackForgetsChunksThatAreOnTheirWay(t *testing.T) {
	store := &shelf{blobs: map[string][]byte{}}
	s := spool{blobs: store, ahead: true}
	for item, fails := range []bool{false, true, false} {
		s.begin()
		for i := range 4 {
			if err := s.add(t.Context(), objectOf(10*item+i)); err != nil {
				t.Fatal(err)
			}
		}
		if fails {
			s.rollback()
		}
	}
	p, err := s.payload(t.Context())
	if got := fmt.Sprint(shelved(t, store, p)); got != "[0 1 2 3 20 21 22 23]" || err != nil {
		t.Error(got, err)
	}
}

func TestAChunkThatCannotBeStoredIsTold(t *testing.T) {
	for fail := 1; fail <= 3; fail++ {
		s := spool{blobs: &shelf{blobs: map[string][]byte{}, fail: fail}, ahead: true}
		s.begin()
		var err error
		for i := 0; i < 8 && err == nil; i++ { // three chunks, the last of them cut by payload
			err = s.add(t.Context(), objectOf(i))
		}
		if err == nil {
			_, err = s.payload(t.Context())
		}
		s.settle()
		if !errors.Is(err, errFull) {
			t.Errorf("chunk %d: %v", fail, err)
		}
	}
}
