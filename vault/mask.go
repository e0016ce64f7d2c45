package vault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maskText stands where a secret stood.
const maskText = "***"

// Masker replaces secret values in text, also where they are encoded: in base64 at any place of a longer text, in hex, and
// behind the escapes of URLs, JSON and HTML, two of them one inside the other at most. The zero Masker changes nothing.
type Masker struct {
	forms   *finder
	numbers bool // a secret is written like a number
}

// NewMasker masks the given values. What is shorter than four bytes is not masked: it would blot out ordinary text.
func NewMasker(values map[string]string) *Masker {
	m := &Masker{}
	var forms []string
	for _, v := range values {
		if len(v) < minMasked {
			continue
		}
		forms = append(forms, formsOf(v)...)
		if _, err := strconv.ParseFloat(v, 64); err == nil {
			m.numbers = true
		}
	}
	if len(forms) > 0 {
		m.forms = newFinder(forms)
	}
	return m
}

// Active tells whether there is anything to mask.
func (m *Masker) Active() bool { return m != nil && m.forms != nil }

// Text masks a string.
func (m *Masker) Text(s string) string {
	if !m.Active() || s == "" {
		return s
	}
	var found []span
	m.search(s, nil, maxEscapes, &found)
	if len(found) == 0 {
		return s
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var out strings.Builder
	out.Grow(len(s))
	at := 0
	for i := 0; i < len(found); {
		from, to := found[i].from, found[i].to
		for i++; i < len(found) && found[i].from < to; i++ { // what overlaps is one
			to = max(to, found[i].to)
		}
		out.WriteString(s[at:from])
		out.WriteString(maskText)
		at = to
	}
	out.WriteString(s[at:])
	return out.String()
}

// Shows tells whether an encoded value may hold a secret: false is certain. It saves decoding all that a satellite returns.
func (m *Masker) Shows(encoded []byte) bool {
	if !m.Active() {
		return false
	}
	if m.numbers || slices.ContainsFunc(encoded, isEscape) {
		return true
	}
	found := false
	m.forms.find(string(encoded), func(int, int) { found = true })
	return found
}

// Value masks every string in a JSON-like value, keys too, and numbers that are written like a secret.
func (m *Masker) Value(v any) any {
	if !m.Active() {
		return v
	}
	switch v := v.(type) {
	case string:
		return m.Text(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.Value(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[m.Text(k)] = m.Value(e)
		}
		return out
	case nil, bool:
		return v
	}
	if !m.numbers {
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte(fmt.Sprint(v))
	}
	if masked := m.Text(string(text)); masked != string(text) {
		return masked
	}
	return v
}

// span is where something stands in a text.
type span struct{ from, to int }

// search finds the secrets in a text and in what it is without escapes. l says where the text came from.
func (m *Masker) search(s string, l *layer, deeper int, found *[]span) {
	m.find(s, l, found)
	if plain, on := decode(s, lines, l); on != nil {
		m.find(plain, on, found)
	}
	if deeper == 0 {
		return
	}
	for i := range decoders {
		if plain, on := decode(s, &decoders[i], l); on != nil {
			m.search(plain, on, deeper-1, found)
		}
	}
}

func (m *Masker) find(s string, l *layer, found *[]span) {
	m.forms.find(s, func(from, to int) { *found = append(*found, l.origin(span{from, to})) })
}
