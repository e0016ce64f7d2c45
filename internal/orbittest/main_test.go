package orbittest_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"
)

// drivers matches about half of the tests, by the time that they take.
const drivers = "Wherever|RandomFaults"

// TestMain runs all tests in two processes at once: a bubble keeps one core busy, and two of them cannot be in one process, whose
// pools of the NATS client they would share (orbittest.Test empties them in between). Where tests are chosen it runs those.
func TestMain(m *testing.M) {
	flag.Parse()
	ats.Register() // outside every bubble, or fake time stands still
	for _, chosen := range []string{"test.run", "test.skip", "test.list", "test.bench", "test.fuzz"} {
		if flag.Lookup(chosen).Value.String() != "" || runtime.NumCPU() == 1 {
			os.Exit(m.Run())
		}
	}
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return strings.HasPrefix(arg, "-test.testlogfile") })
	other := exec.Command(os.Args[0], append(args, "-test.run", drivers)...)
	var said bytes.Buffer
	other.Stdout, other.Stderr = &said, &said
	if err := other.Start(); err != nil {
		panic(err)
	}
	_ = flag.Set("test.skip", drivers) // the flag is there, and takes any expression
	code := m.Run()
	err := other.Wait()
	if err != nil && code == 0 {
		code = 1
	}
	if err != nil || testing.Verbose() {
		_, _ = os.Stdout.Write(said.Bytes())
	}
	os.Exit(code)
}
