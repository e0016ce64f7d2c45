package llm

import (
	"strings"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// question is what one item asks.
type question struct {
	messages    []message
	more        []message // what followed: an answer that did not fit, and what was wrong with it
	temperature float64
	limit       int     // of tokens of the answer
	wanted      *wanted // nil: text
	key         string  // the item's idempotency key
	log         zerolog.Logger

	requests int   // sent so far
	fitted   bool  // limit was reduced to what the server has room for
	used     usage // by all of them
}

// message is one turn of a conversation.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

const (
	defaultTemperature = 0.5
	defaultLimit       = 65536
	// prefixBytes of a prompt tell whether it begins as another: some 250 tokens, as long as an instruction usually is.
	prefixBytes = 1024
)

// newQuestion reads config and input. Its errors are permanent: they are at fault.
func (m *Model) newQuestion(inv *satellite.Invocation) (*question, error) {
	q := &question{temperature: defaultTemperature, limit: defaultLimit, key: inv.IdempotencyKey(), log: inv.Log}
	switch t := inv.Config["temperature"].(type) {
	case float64:
		q.temperature = t
	case int:
		q.temperature = float64(t)
	}
	if n, ok := inv.Config["max-tokens"].(int); ok && n > 0 {
		q.limit = n
	}
	if inv.Config["output-format"] == "json" {
		var err error
		if q.wanted, err = m.schemas.wanted(inv.Config["output-schema"]); err != nil {
			return nil, orbit.Permanent(orbit.CodeInvalidConfig, "%v", err)
		}
	}
	var err error
	q.messages, err = messages(inv.Input)
	return q, err
}

// messages reads the input: a prompt, or a conversation.
func messages(input any) ([]message, error) {
	fields, _ := input.(map[string]any)
	prompt, _ := fields["prompt"].(string)
	list, _ := fields["messages"].([]any)
	switch {
	case prompt != "" && len(list) > 0:
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "prompt and messages cannot both be asked; keep one")
	case prompt != "":
		return []message{{"user", prompt}}, nil
	case len(list) == 0:
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "there is no prompt and there are no messages; give the step an `input` with one of them")
	}
	out := make([]message, len(list))
	for i, e := range list {
		fields, _ := e.(map[string]any)
		role, _ := fields["role"].(string)
		content, ok := fields["content"].(string)
		if role == "" || !ok {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "messages.%d must be a map with role and content", i)
		}
		out[i] = message{role, content}
	}
	return out, nil
}

// prefix is the beginning of what the model reads.
func (q *question) prefix() string {
	var b strings.Builder
	for _, m := range q.messages {
		b.WriteString(m.Role + "\n" + m.Content[:min(len(m.Content), prefixBytes)] + "\n")
		if b.Len() >= prefixBytes {
			return b.String()[:prefixBytes]
		}
	}
	return b.String()
}

// size is the bytes that the model reads.
func (q *question) size() (n int) {
	for _, list := range [][]message{q.messages, q.more} {
		for _, m := range list {
			n += len(m.Content)
		}
	}
	return n
}
