package node

import (
	"strings"
	"testing"
)

func TestWhatWasJustStoredIsNotReadBack(t *testing.T) {
	n := &Node{} // without a store: reading from one would crash
	store := keepingStore{&shelf{blobs: map[string][]byte{}, fail: 2}, n}
	data := []byte("what a bundle returned")
	name, err := store.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	copy(data, "the spool fills it anew")
	if got, err := n.blobs(t.Context())(name); err != nil || string(got) != "what a bundle returned" {
		t.Errorf("it reads %q: %v", got, err)
	}
	if name, err := store.Put(t.Context(), data); err == nil {
		t.Errorf("%s was stored, though the store fails", name)
	}
	large := []byte(strings.Repeat("x", keptBytes/4+1))
	if name, err = store.Put(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.chunks.get(name); ok {
		t.Error("a blob is kept that leaves little room for others")
	}
}
