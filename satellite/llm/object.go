package llm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// object asks for JSON. An answer that is none, or does not fit, is sent back once with what is wrong with it.
func (m *Model) object(ctx context.Context, q *question) (orbit.Object, error) {
	for again := false; ; again = true {
		a, err := m.ask(ctx, q)
		if err != nil {
			return nil, err
		}
		if a.cut() {
			return nil, orbit.Permanent(orbit.CodeTooLarge, "%s was cut off after the %d tokens of max-tokens, before its JSON was complete; raise max-tokens", m.name(), q.limit)
		}
		text := a.words()
		object, wrong := q.wanted.read(text)
		if wrong == "" {
			return object, nil
		}
		if again {
			return nil, orbit.Permanent(orbit.CodeRejected, "%s answered twice with what is not the JSON that was asked for: %s; say it more plainly in the prompt, or ask for less in output-schema", m.name(), wrong)
		}
		q.log.Debug().Str("wrong", wrong).Msg("the answer does not fit; asking once more")
		if text != "" { // servers refuse a turn without a word
			q.more = append(q.more, message{"assistant", text})
		}
		q.more = append(q.more, message{"user", "That is not the JSON that was asked for: " + wrong + ". Answer again, with the corrected JSON object and nothing else."})
	}
}

// read finds the object in an answer, or says what is wrong with it.
func (w *wanted) read(text string) (object orbit.Object, wrong string) {
	if text == "" {
		return nil, "the answer is empty"
	}
	object, err := orbit.ParseObject([]byte(text))
	if err != nil {
		if object, err = orbit.ParseObject([]byte(unfenced(text))); err != nil {
			return nil, "it is no JSON (" + excerpt(err.Error()) + ")"
		}
	}
	if !object.IsMap() {
		return nil, "it is no JSON object"
	}
	value, err := object.Value()
	if err != nil {
		return nil, "it is no JSON that can be kept (" + excerpt(err.Error()) + ")"
	}
	const most = 8 // things that are told: more are seldom mended in one go
	var found []string
	for _, v := range w.checked.Check(value) {
		if found = append(found, v.String()); len(found) == most {
			break
		}
	}
	return object, excerpt(strings.Join(found, "; "))
}

// instruct puts the schema into the prompt, at its end, where the server cannot enforce it.
func (w *wanted) instruct(messages []message) []message {
	out := slices.Clone(messages)
	last := len(out) - 1
	for last > 0 && out[last].Role != "user" {
		last--
	}
	out[last].Content += fmt.Sprintf("\n\nAnswer with one JSON object and nothing else, without any text around it. It must fit this JSON Schema:\n%s", w.schema)
	return out
}
