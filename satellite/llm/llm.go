// Package llm is the family of model satellites: one prompt or conversation in, the model's answer out.
//
//	config, input ──newQuestion──► question ──turnstile──► POST {url}/chat/completions ──stream──► answer
//	                                                              ▲                                 │
//	                                                              └── what the server refused, or ◄─┘
//	                                                                  JSON that does not fit, once
//
// It owns their descriptions, the requests and the judgement whose fault a failure is. It refuses to hold a model: an
// inference server beside the node, or a hosted service, does. A node's configuration binds the name of a satellite to such
// an endpoint, so that any model is one more entry.
package llm

import (
	"context"
	"net/http"
	"path"
	"strings"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// Model is a model satellite that is bound to an endpoint. It keeps connections open between items; Close gives them up.
type Model struct {
	spec     *satellite.Spec
	endpoint Endpoint
	client   *http.Client
	turns    *turnstile
	rest     rest
	learned  learned
	tally    tally
	schemas  schemas
	secrets  *strings.Replacer // the endpoint's credentials, wherever a server repeats them
}

// New binds the satellite that spec describes to an endpoint.
func New(spec *satellite.Spec, e Endpoint, log zerolog.Logger) *Model {
	e = e.withDefaults(path.Base(spec.Name))
	m := &Model{spec: spec, endpoint: e, client: newClient(e.Concurrency), turns: newTurnstile(e.Concurrency), secrets: e.mask()}
	m.learned.context = e.Context
	m.tally.log = log.With().Str("satellite", spec.Name).Logger()
	return m
}

// Spec describes the satellite.
func (m *Model) Spec() *satellite.Spec { return m.spec }

// Slots is the number of items that a node should have in hand to keep the endpoint busy. They are more than the endpoint
// takes at once: while some wait, those with the same beginning can go one after the other, and no place is empty for as
// long as it takes to commit one item and fetch the next. They are not many more, for another node could have them.
func (m *Model) Slots() int { return m.endpoint.Concurrency + (m.endpoint.Concurrency+3)/4 }

// Count is what the model has done since its node came up.
func (m *Model) Count() Count { return m.tally.count() }

// Pace is how fast the model goes: tokens of answers in a second, over the last minute or so.
func (m *Model) Pace() float64 { return m.tally.pace() }

// Run asks the model and emits its answer.
func (m *Model) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	q, err := m.newQuestion(inv)
	if err != nil {
		return err
	}
	leave, err := m.turns.enter(ctx, q.prefix())
	if err != nil {
		return err
	}
	defer leave()
	if err := m.rest.wait(ctx); err != nil {
		return err
	}
	m.tally.begin()
	defer m.tally.end()
	object, err := m.answer(ctx, q)
	if ctx.Err() == nil { // an end from outside says nothing of the server
		m.rest.after(err)
	}
	if q.used.told {
		m.tally.add(q.used)
		inv.Use(orbit.PromptTokens, int64(q.used.prompt))
		inv.Use(orbit.CompletionTokens, int64(q.used.completion))
		inv.Log.Debug().Int(orbit.PromptTokens, q.used.prompt).Int(orbit.CompletionTokens, q.used.completion).Msg("the model has answered")
	}
	if err != nil {
		return err
	}
	return emit(object)
}

// answer is what the satellite returns.
func (m *Model) answer(ctx context.Context, q *question) (orbit.Object, error) {
	if q.wanted != nil {
		return m.object(ctx, q)
	}
	a, err := m.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	text := a.words()
	if text == "" && a.cut() {
		return nil, orbit.Permanent(orbit.CodeTooLarge, "%s spent all %d tokens of max-tokens on its reasoning and wrote no answer; raise max-tokens", m.name(), q.limit)
	}
	if a.cut() {
		q.log.Warn().Int("max-tokens", q.limit).Msg("the answer was cut off at max-tokens")
	}
	out := map[string]any{"text": strings.ToValidUTF8(text, "\uFFFD")}
	if q.used.told {
		out["usage"] = map[string]any{orbit.PromptTokens: q.used.prompt, orbit.CompletionTokens: q.used.completion, "total-tokens": q.used.prompt + q.used.completion}
	}
	return orbit.NewObject(out)
}

// Close gives up the connections. Calling it twice is fine.
func (m *Model) Close() { m.client.CloseIdleConnections() }

// name is the model and where it is, for an error.
func (m *Model) name() string { return "the model " + m.endpoint.Model + " at " + m.endpoint.place() }
