package modelhost

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

func TestAKilledNodeLeavesNoServerBehind(t *testing.T) {
	t.Setenv("MODELHOST_TEST", "host")
	address := freeAddress(t)
	host := exec.Command(os.Args[0], t.TempDir(), address)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Process.Kill(); _ = host.Wait() }()
	var said string
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		t.Fatal(err)
	}
	pid, _ := pids(t, address)
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its server is gone", func() bool { return gone(pid) })
}
