// Command llm-standin serves the stand-in for a language model (internal/standin/llm) on an address, for the example and for
// trying a node's `models:` section without a model:
//
//	go run ./scripts/llm-standin -listen 127.0.0.1:8000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/exospherehost/orbit/internal/standin/llm"
)

func main() { os.Exit(run()) }

func run() int {
	var o llm.Options
	listen := flag.String("listen", "127.0.0.1:8000", "address to serve on; the URL is http://ADDRESS/v1")
	flag.DurationVar(&o.Latency, "latency", 0, "time to the first token")
	flag.Float64Var(&o.TokensPerSecond, "tokens-per-second", 0, "pace of each answer; 0: at once")
	flag.IntVar(&o.Tokens, "tokens", 64, "tokens of an answer in text")
	flag.IntVar(&o.Context, "context", 0, "tokens of prompt and answer together; 0: any number")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintf(os.Stderr, "llm-standin: %v; choose another address with -listen\n", err)
		return 1
	}
	fmt.Fprintf(os.Stderr, "llm-standin: THIS IS %s. It serves http://%s/v1.\n", llm.Notice, l.Addr())
	server := &http.Server{Handler: llm.New(o), ReadHeaderTimeout: 10 * time.Second}
	go func() { // ends with the process
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "llm-standin:", err)
		return 1
	}
	return 0
}
