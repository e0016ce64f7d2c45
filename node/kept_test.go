package node

import (
	"fmt"
	"testing"
)

func TestWhatIsReadAgainAndAgainStaysAtHandInBoundedMemory(t *testing.T) {
	var k kept[int]
	if _, ok := k.get("a"); ok {
		t.Error("something is kept from the start")
	}
	const each = keptBytes / 64
	for i := range 1000 {
		k.put(fmt.Sprint(i), i, each)
		if v, ok := k.get(fmt.Sprint(i)); !ok || v != i {
			t.Fatalf("%d was put, and there is %d, %t", i, v, ok)
		}
		if n := len(k.young) + len(k.old); n > 64 {
			t.Fatalf("%d things of 1/64 each are kept", n)
		}
	}
	if _, ok := k.get("1"); ok {
		t.Error("the oldest is still there")
	}
}
