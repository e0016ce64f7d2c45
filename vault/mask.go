package vault

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// maskText stands where a secret stood.
const maskText = "***"

// minMasked is the shortest value that is masked: anything shorter would blot out ordinary text.
const minMasked = 4

// notForHTML gives a JSON text as most programs write it: with these characters as they are.
var notForHTML = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// Masker replaces secret values, and their common encodings, in text. The zero Masker changes nothing.
type Masker struct{ replacer *strings.Replacer }

// NewMasker masks the given values.
func NewMasker(values map[string]string) *Masker {
	var forms []string
	for _, v := range values {
		if len(v) < minMasked {
			continue
		}
		quoted, _ := json.Marshal(v) // a string always encodes
		inJSON := string(quoted[1 : len(quoted)-1])
		forms = append(forms, v, url.QueryEscape(v), url.PathEscape(v), inJSON, notForHTML.Replace(inJSON))
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, e.EncodeToString([]byte(v)))
		}
	}
	if len(forms) == 0 {
		return &Masker{}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // the longest first, so that no tail is left
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, maskText)
	}
	return &Masker{strings.NewReplacer(pairs...)}
}

// Active tells whether there is anything to mask.
func (m *Masker) Active() bool { return m != nil && m.replacer != nil }

// Text masks a string.
func (m *Masker) Text(s string) string {
	if !m.Active() {
		return s
	}
	return m.replacer.Replace(s)
}

// Value masks every string in a JSON-like value, keys too.
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
	}
	return v
}
