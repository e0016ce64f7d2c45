package scripttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsServer is the command `nats-server ADDR DIR`: an external NATS server with JetStream.
func natsServer() {
	host, text, err := net.SplitHostPort(os.Args[1])
	exitOn(err)
	port, err := strconv.Atoi(text)
	exitOn(err)
	s, err := server.NewServer(&server.Options{ServerName: "external", Host: host, Port: port, JetStream: true, StoreDir: os.Args[2], NoSigs: true})
	exitOn(err)
	s.ConfigureLogger()
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		exitOn(fmt.Errorf("the NATS server is not ready"))
	}
	wait()
	s.Shutdown()
	s.WaitForShutdown()
}

// webhooks is the command `webhooks ADDR`: /answer/CODE answers with a status, /echo/CODE with what
// it was sent, which it logs too, /hang not before the caller has gone, /slow with the
// number n that it was sent, after a moment.
func webhooks() {
	mux := http.NewServeMux()
	mux.HandleFunc("/answer/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, "status %d it is", code)
	})
	mux.HandleFunc("/echo/{code}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // half a body is echoed as that
		said := fmt.Sprintf("%s and %s", r.Header.Get("Authorization"), body)
		fmt.Fprintln(os.Stderr, said)
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "you said ", said)
	})
	mux.HandleFunc("/slow", newSlow().serve)
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	l, err := net.Listen("tcp", os.Args[1])
	exitOn(err)
	go func() { exitOn(http.Serve(l, mux)) }()
	fmt.Fprintln(os.Stderr, "listening")
	wait()
}

// slow is a service that takes a moment for each call, without any work for this machine. It insists on what is promised
// of the Idempotency-Key: the same for every attempt of an item, another for every item.
type slow struct {
	mu   sync.Mutex
	keys map[int]string
	of   map[string]int
}

func newSlow() *slow { return &slow{keys: map[int]string{}, of: map[string]int{}} }

func (s *slow) serve(w http.ResponseWriter, r *http.Request) {
	var in struct{ N int }
	key := r.Header.Get("Idempotency-Key")
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || key == "" || !s.fits(in.N, key) {
		http.Error(w, fmt.Sprintf("number %d came with key %q (%v)", in.N, key, err), http.StatusConflict)
		return
	}
	moment := time.NewTimer(20 * time.Millisecond) // 3,000 calls by 8 slots: about 8 s, time to kill something
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"n": %d}`, in.N)
}

func (s *slow) fits(n int, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.keys[n]; ok && known != key {
		return false
	}
	if known, ok := s.of[key]; ok && known != n {
		return false
	}
	s.keys[n], s.of[key] = key, n
	return true
}

func wait() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	<-c
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
