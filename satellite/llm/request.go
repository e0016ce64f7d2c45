package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/exospherehost/orbit"
)

// request is one request as it is sent: https://platform.openai.com/docs/api-reference/chat/create.
type request struct {
	Model          string          `json:"model"`
	Messages       []message       `json:"messages"`
	Temperature    float64         `json:"temperature"`
	MaxTokens      int             `json:"max_tokens,omitempty"`
	NewMaxTokens   int             `json:"max_completion_tokens,omitempty"` // what OpenAI's newer models want instead
	Stream         bool            `json:"stream"`
	StreamOptions  *streamOptions  `json:"stream_options,omitempty"`
	ResponseFormat *responseFormat `json:"response_format,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type       string     `json:"type"`
	JSONSchema jsonSchema `json:"json_schema"`
}

type jsonSchema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

// newRequest puts a request together with what is known of the server by now.
func (m *Model) newRequest(q *question) *request {
	m.learned.mu.Lock()
	defer m.learned.mu.Unlock()
	l := &m.learned
	r := &request{Model: m.endpoint.Model, Messages: q.messages, Temperature: q.temperature, Stream: true}
	if !l.noStreamOptions {
		r.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if q.wanted != nil {
		if m.endpoint.Schema == Always || m.endpoint.Schema == Auto && !l.noSchema && !l.noSchemas[string(q.wanted.schema)] {
			r.ResponseFormat = &responseFormat{"json_schema", jsonSchema{"answer", q.wanted.schema, q.wanted.strict}}
		} else {
			r.Messages = q.wanted.instruct(q.messages)
		}
	}
	if len(q.more) > 0 {
		r.Messages = append(append([]message{}, r.Messages...), q.more...)
	}
	limit := l.room(q)
	if l.newLimit {
		r.NewMaxTokens = limit
	} else {
		r.MaxTokens = limit
	}
	return r
}

// leastRoom is what an estimate must leave for the answer; where it leaves less, the server is asked and tells exactly.
const leastRoom = 256

// room is the limit of the answer's tokens to ask for. A server that has no room for so many refuses the request; once that is
// known, it is not asked for more than what is left by the prompt, about.
func (l *learned) room(q *question) int {
	limit := q.limit
	if l.most > 0 {
		limit = min(limit, l.most)
	}
	if q.fitted || l.context == 0 || l.perByte == 0 {
		return limit
	}
	const margin, frame = 1.05, 64 // prompts differ; a template adds some tokens to each
	left := l.context - int(float64(q.size())*l.perByte*margin) - frame
	if left < leastRoom {
		return limit
	}
	return min(limit, left)
}

// limit is the most tokens that the request asks for.
func (r *request) limit() int { return max(r.MaxTokens, r.NewMaxTokens) }

// http makes the HTTP request.
func (m *Model) http(ctx context.Context, q *question, r *request) (*http.Request, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "the prompt cannot be written as JSON: %v", err)
	}
	at, err := m.endpoint.chat()
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "the URL of %s cannot be read; mend it in the node's `models:` section", m.spec.Name)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), &body)
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "no request can be made for %s; mend its URL in the node's `models:` section", m.spec.Name)
	}
	q.requests++
	key := q.key
	if q.requests > 1 { // another question than the first: a service that knows the key must not give the same answer
		key += "-" + strconv.Itoa(q.requests)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("User-Agent", "exosphere-orbit")
	req.Header.Set("Idempotency-Key", key)
	if m.endpoint.Key != "" {
		req.Header.Set("Authorization", "Bearer "+m.endpoint.Key)
	}
	for name, value := range m.endpoint.Headers {
		req.Header.Set(name, value)
	}
	return req, nil
}
