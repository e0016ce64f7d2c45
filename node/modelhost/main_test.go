package modelhost

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is a model's server, too, where the environment says so.
func TestMain(m *testing.M) {
	switch os.Getenv("MODELHOST_TEST") {
	case "server":
		serveModel()
	case "child":
		select {}
	case "host":
		hostUntilKilled()
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// serveModel answers on the address of its first argument, a moment after it has begun, and has a child, whose id it tells. It ends
// on SIGTERM, if it has no second argument.
func serveModel() {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "MODELHOST_TEST=child")
	if err := child.Start(); err != nil {
		panic(err)
	}
	fmt.Println("visible:", os.Getenv("CUDA_VISIBLE_DEVICES"), "token:", os.Getenv("ORBIT_TOKEN"), "key:", os.Getenv("MODELHOST_KEY"))
	if len(os.Args) > 2 {
		signal.Ignore(syscall.SIGTERM)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		l, err := net.Listen("tcp", os.Args[1])
		if err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/die" {
				fmt.Println("out of memory")
				os.Exit(7)
			}
			fmt.Fprintf(w, "%d %d", os.Getpid(), child.Process.Pid)
		}))
	})
	select {}
}

// hostUntilKilled is a process with a model's server that tells when that is ready.
func hostUntilKilled() {
	_ = os.Setenv("MODELHOST_TEST", "server")
	h := realHost(os.Args[1], os.Args[2])
	for range time.Tick(10 * time.Millisecond) {
		if h.Ready()["p"]() {
			break
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode("ready")
	select {}
}
