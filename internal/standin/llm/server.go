// Package llm is a stand-in for a language model: a server that speaks the chat completions of OpenAI and answers by grammar.
// Asked for JSON, it fills the schema with words and numbers of the prompt; asked for text, it repeats words of it. The same
// request has the same answer, at a pace that is set, so that tests, the example and benchmarks need no model.
//
// It is no model, and says so: in the field model of each answer, and wherever its command writes. It refuses to pretend to
// understand anything.
package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Notice is what the stand-in says of itself.
const Notice = "no model: a stand-in that answers by grammar"

// Options say how it behaves. The zero value answers at once.
type Options struct {
	Latency         time.Duration // until the first token
	TokensPerSecond float64       // of each answer; 0: all at once
	Tokens          int           // of an answer in text; 0: 64
	Context         int           // tokens of prompt and answer together that it claims to have room for; 0: any
}

// maxRequest bounds the body of a request.
const maxRequest = 16 << 20

// Server answers requests. It is an http.Handler.
type Server struct {
	options Options
	routes  *http.ServeMux
}

// New makes a server.
func New(o Options) *Server {
	if o.Tokens <= 0 {
		o.Tokens = 64
	}
	s := &Server{options: o, routes: http.NewServeMux()}
	s.routes.HandleFunc("POST /v1/chat/completions", s.chat)
	s.routes.HandleFunc("GET /v1/models", s.models)
	s.routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.routes.ServeHTTP(w, r) }

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": []any{map[string]any{"id": "stand-in", "object": "model", "owned_by": Notice}}})
}

// request is what it reads of a request.
type request struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	MaxTokens     int  `json:"max_tokens"`
	NewMaxTokens  int  `json:"max_completion_tokens"`
	Stream        bool `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// prompt is all that was said.
func (r *request) prompt() string {
	parts := make([]string, len(r.Messages))
	for i, m := range r.Messages {
		parts[i] = m.Content
	}
	return strings.Join(parts, "\n")
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var req request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil {
		refuse(w, "the request is no JSON: "+err.Error(), "")
		return
	}
	if len(req.Messages) == 0 {
		refuse(w, "there are no messages", "messages")
		return
	}
	read, limit := tokens(req.prompt()), max(req.MaxTokens, req.NewMaxTokens)
	if s.options.Context > 0 && len(read)+max(limit, 1) > s.options.Context {
		refuse(w, fmt.Sprintf("This model's maximum context length is %d tokens. However, you requested %d tokens (%d in the messages, %d in the completion). Please reduce the length of the messages or completion.",
			s.options.Context, len(read)+limit, len(read), limit), "messages")
		return
	}
	text, err := s.text(&req)
	if err != nil {
		refuse(w, "Invalid schema for response_format: "+err.Error(), "response_format")
		return
	}
	a := &answer{model: fmt.Sprintf("%s (%s)", req.Model, Notice), pieces: tokens(text), finish: "stop", read: len(read)}
	if limit > 0 && len(a.pieces) > limit {
		a.pieces, a.finish = a.pieces[:limit], "length"
	}
	if !req.Stream {
		if s.wait(r.Context(), s.options.Latency+s.pace(len(a.pieces))) {
			writeJSON(w, http.StatusOK, a.whole())
		}
		return
	}
	s.stream(w, r, a, req.StreamOptions.IncludeUsage)
}

// text is what is answered.
func (s *Server) text(req *request) (string, error) {
	prompt := req.prompt()
	switch req.ResponseFormat.Type {
	case "json_schema":
		return fill(req.ResponseFormat.JSONSchema.Schema, prompt)
	case "json_object":
		return fill(json.RawMessage(`{"type": "object"}`), prompt)
	}
	words := strings.Fields(prompt)
	out := make([]string, s.options.Tokens)
	for i := range out {
		out[i] = "so"
		if len(words) > 0 {
			out[i] = words[i%len(words)]
		}
	}
	return strings.Join(out, " "), nil
}

// pace is how long n tokens take.
func (s *Server) pace(n int) time.Duration {
	if s.options.TokensPerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(n) / s.options.TokensPerSecond * float64(time.Second))
}

// wait sleeps; false where the caller has gone.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refuse answers as vLLM and OpenAI do where a request is at fault.
func refuse(w http.ResponseWriter, message, param string) {
	writeJSON(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": param, "code": nil}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who has gone hears nothing
}
