package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"sync"
	"time"
)

// hooks is the world outside: a server that webhooks call. It counts what it did for whom, and is not always in the mood.
type hooks struct {
	addr string
	srv  *http.Server

	mu       sync.Mutex
	calls    int
	attempts map[string]int    // by idempotency key
	callers  map[string]caller // by idempotency key
	effects  []caller          // by their number
	answers  map[string]int    // calls by what they were answered
	wrong    []string
}

// caller is an item that calls.
type caller struct {
	Run  string `json:"run"`
	Salt string `json:"salt"`
	N    int    `json:"n"`
}

// fate is what becomes of a caller: the same whenever it calls.
type fate int

const (
	fine   fate = iota
	busy        // 503 for the first one or two times
	silent      // no answer in time, once
	never       // 400
	moody       // the first time all is well, and after that 400: an item that is done twice comes to two results
)

func (c caller) hash() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", c.Salt, c.N)
	return h.Sum64()
}

func (c caller) fate() (f fate, times int) {
	switch dice := c.hash() % 1000; {
	case dice < 50:
		return never, 0
	case dice < 150:
		return busy, 1 + int(dice%2)
	case dice < 170:
		return silent, 1
	case dice < 400:
		return moody, 1
	}
	return fine, 0
}

func startHooks(host string) (*hooks, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	h := &hooks{addr: l.Addr().String(), attempts: map[string]int{}, callers: map[string]caller{}, answers: map[string]int{}}
	h.srv = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.srv.Serve(l) }() // until stop
	return h, nil
}

func (h *hooks) url() string { return "http://" + h.addr + "/call" }

func (h *hooks) stop() { _ = h.srv.Close() }

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c caller
	key := r.Header.Get("Idempotency-Key")
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&c); err != nil || key == "" || c.Run == "" {
		h.fault("a webhook came without a body or without an Idempotency-Key (%q, %+v, %v)", key, c, err)
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(20+c.hash()%150) * time.Millisecond) // work takes time, and bundles are under way when something happens
	status, body := h.answer(key, c)
	if status == 0 {
		select {
		case <-time.After(3 * time.Second):
		case <-r.Context().Done():
		}
		return
	}
	body["seen"] = r.Header.Get("Authorization") + " " + r.Header.Get("X-Key") // repeated, so that it must be masked
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever does not read it calls again
}

// answer decides about one call; 0: no answer.
func (h *hooks) answer(key string, c caller) (status int, body map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	h.attempts[key]++
	if was, ok := h.callers[key]; ok && was != c {
		h.wrong = append(h.wrong, fmt.Sprintf("the Idempotency-Key %s came from two items: %+v and %+v", key, was, c))
	}
	h.callers[key] = c
	switch f, times := c.fate(); {
	case f == never, f == moody && h.attempts[key] > times:
		h.answers["400"]++
		return http.StatusBadRequest, map[string]any{"error": "never"}
	case f == busy && h.attempts[key] <= times:
		h.answers["503"]++
		return http.StatusServiceUnavailable, map[string]any{"error": "busy"}
	case f == silent && h.attempts[key] <= times:
		h.answers["none"]++
		return 0, nil
	}
	h.answers["200"]++
	h.effects = append(h.effects, c)
	return http.StatusOK, map[string]any{"run": c.Run, "n": c.N, "effect": len(h.effects) - 1}
}

func (h *hooks) fault(format string, a ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = append(h.wrong, fmt.Sprintf(format, a...))
}

// keysOf checks that no item called under two keys. It is asked at the end.
func (h *hooks) keysOf() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	wrong := append([]string(nil), h.wrong...)
	key := map[caller]string{}
	for k, c := range h.callers {
		if was, ok := key[c]; ok {
			wrong = append(wrong, fmt.Sprintf("item %d of run %s called under two Idempotency-Keys: %s and %s", c.N, c.Run, was, k))
		}
		key[c] = k
	}
	return wrong
}
