package exec_test

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"testing"
)

func TestAKilledNodeLeavesNoProcessBehind(t *testing.T) {
	node := osexec.Command(os.Args[0], "satellite", "node")
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Process.Kill(); _ = node.Wait() }()
	dec := json.NewDecoder(out)
	var told struct{ PID int }
	if err := dec.Decode(&told); err != nil || told.PID == 0 {
		t.Fatalf("the node told %+v, %v", told, err)
	}
	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	gone(t, told.PID)
}
