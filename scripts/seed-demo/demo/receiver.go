package demo

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	standin "github.com/exospherehost/orbit/internal/standin/llm"
)

// Hook is one call of the webhook.
type Hook struct {
	Key   string // its Idempotency-Key
	Token string
	File  string // the file-path in its body
	Data  json.RawMessage
	There bool // the file was still in the bucket
}

// served is an HTTP server on loopback.
type served struct {
	url    string
	server *http.Server
}

func serve(h http.Handler) (served, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return served{}, err
	}
	s := served{"http://" + l.Addr().String(), &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = s.server.Serve(l) }() // ends with close
	return s, nil
}

func (s served) close() { _ = s.server.Close() }

// startModel serves the stand-in for a model.
func startModel() (served, error) {
	s, err := serve(standin.New(standin.Options{Latency: 100 * time.Millisecond, TokensPerSecond: 500}))
	s.url += "/v1"
	return s, err
}

// receiver is the webhook of the cluster, New Relic and PagerDuty.
type receiver struct {
	served
	store *store

	mu     sync.Mutex
	hooks  []Hook
	alerts []string
	logs   int
	came   chan struct{} // a webhook has come; never blocks who says so
}

func startReceiver(s *store) (*receiver, error) {
	r := &receiver{store: s, came: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/financial-reports", r.hook)
	mux.HandleFunc("POST /log/v1", r.log)
	mux.HandleFunc("POST /v2/enqueue", r.alert)
	var err error
	r.served, err = serve(mux)
	return r, err
}

func (r *receiver) hook(w http.ResponseWriter, req *http.Request) {
	var body []map[string]json.RawMessage // the cluster file writes a list of one
	text, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	h := Hook{Key: req.Header.Get("Idempotency-Key"), Token: req.Header.Get("Authorization")}
	if err == nil && len(body) == 1 {
		h.Data = body[0]["data"]
		err = json.Unmarshal(body[0]["file-path"], &h.File)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.There = r.store.has(req.Context(), bucket, h.File)
	r.mu.Lock()
	r.hooks = append(r.hooks, h)
	r.mu.Unlock()
	select {
	case r.came <- struct{}{}:
	default:
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"stored": true}`)
}

// await returns when n webhooks have come, or ctx has ended.
func (r *receiver) await(ctx context.Context, n int) {
	for {
		r.mu.Lock()
		got := len(r.hooks)
		r.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-r.came:
		case <-ctx.Done():
			return
		}
	}
}

func (r *receiver) log(w http.ResponseWriter, req *http.Request) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	var batch []struct{ Logs []json.RawMessage }
	if err := json.NewDecoder(body).Decode(&batch); err != nil || req.Header.Get("Api-Key") == "" {
		http.Error(w, "no batch of logs, or no key", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	for _, b := range batch {
		r.logs += len(b.Logs)
	}
	r.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"requestId": "1"}`)
}

func (r *receiver) alert(w http.ResponseWriter, req *http.Request) {
	var event struct {
		DedupKey string `json:"dedup_key"`
		Payload  struct{ Summary string }
	}
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.alerts = append(r.alerts, event.Payload.Summary)
	r.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": event.DedupKey})
}

func (r *receiver) got() ([]Hook, []string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hooks, r.alerts, r.logs
}
