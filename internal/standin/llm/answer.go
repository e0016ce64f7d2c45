package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// answer is one answer, cut into tokens.
type answer struct {
	model  string
	pieces []string
	finish string
	read   int // tokens of the prompt
}

func (a *answer) usage() map[string]any {
	return map[string]any{"prompt_tokens": a.read, "completion_tokens": len(a.pieces), "total_tokens": a.read + len(a.pieces)}
}

func (a *answer) whole() map[string]any {
	return map[string]any{"id": "chatcmpl-stand-in", "object": "chat.completion", "model": a.model, "usage": a.usage(),
		"choices": []any{map[string]any{"index": 0, "finish_reason": a.finish, "message": map[string]any{"role": "assistant", "content": strings.Join(a.pieces, "")}}}}
}

// chunk is one event.
func (a *answer) chunk(choices []any, usage any) []byte {
	v := map[string]any{"id": "chatcmpl-stand-in", "object": "chat.completion.chunk", "model": a.model, "choices": choices}
	if usage != nil {
		v["usage"] = usage
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of text and numbers
	}
	return fmt.Appendf(nil, "data: %s\n\n", text)
}

// stream sends the answer token by token. Tokens that are due at the same moment go out together, as they would from a
// server whose caller is slow.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, a *answer, usage bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w)
	if !s.wait(r.Context(), s.options.Latency) {
		return
	}
	begun := time.Now()
	for i, piece := range a.pieces {
		if due := s.pace(i + 1); due > 0 {
			if early := due - time.Since(begun); early > 0 {
				if flush.Flush() != nil || !s.wait(r.Context(), early) {
					return
				}
			}
		}
		if _, err := w.Write(a.chunk([]any{map[string]any{"index": 0, "delta": map[string]any{"content": piece}, "finish_reason": nil}}, nil)); err != nil {
			return
		}
	}
	end := a.chunk([]any{map[string]any{"index": 0, "delta": map[string]any{}, "finish_reason": a.finish}}, nil)
	if usage {
		end = append(end, a.chunk([]any{}, a.usage())...)
	}
	_, _ = w.Write(append(end, "data: [DONE]\n\n"...)) // who has gone hears nothing
	_ = flush.Flush()
}

// tokens cuts a text into pieces of a word each, with the space before it, and after the commas and colons of JSON. Joined they
// are the text.
func tokens(text string) []string {
	var out []string
	from := 0
	for i := 1; i < len(text); i++ {
		if isSpace(text[i]) && !isSpace(text[i-1]) || text[i-1] == ',' || text[i-1] == ':' {
			out, from = append(out, text[from:i]), i
		}
	}
	if text != "" {
		out = append(out, text[from:])
	}
	return out
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
