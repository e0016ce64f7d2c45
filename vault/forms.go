package vault

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

const (
	// minMasked is the shortest value that is masked.
	minMasked = 4
	// minCore is the shortest stretch of base64 that is taken for a secret inside a longer text: with fewer digits chance
	// would find it in large ones. A value of five bytes has as many.
	minCore = 6
	// minLine is the shortest line of a value of many lines that is masked by itself.
	minLine = 12
	// maxEscapes is how many escapes one inside the other are seen through: JSON in a string of JSON is two.
	maxEscapes = 2
)

// formsOf gives a secret as it may stand in text that has no escapes in it. How escapes are seen through is in decoders.
func formsOf(v string) []string {
	forms := []string{v, hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v)))}
	var whole string // JSON has no broken UTF-8
	if text, err := json.Marshal(v); err == nil && json.Unmarshal(text, &whole) == nil {
		forms = append(forms, whole)
	}
	if strings.Contains(v, " ") { // of a query
		forms = append(forms, strings.ReplaceAll(v, " ", "+"))
	}
	if strings.ContainsAny(v, "\r\n") {
		forms = append(forms, unbroken.Replace(v))
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); len(line) >= minLine {
				forms = append(forms, line)
			}
		}
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		forms = append(forms, e.EncodeToString([]byte(v)))
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			// The digits that the value alone decides, whatever stands before and after it.
			text := e.EncodeToString([]byte("xxx"[:before] + v))
			if core := text[(8*before+5)/6 : 8*(before+len(v))/6]; len(core) >= minCore {
				forms = append(forms, core)
			}
		}
	}
	return forms
}

var unbroken = strings.NewReplacer("\r", "", "\n", "")
