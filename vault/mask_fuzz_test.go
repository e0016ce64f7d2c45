package vault_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/vault"
)

// writings are ways to write bytes as text; escapes are ways to write text inside other text.
var (
	writings = []func(string) string{
		func(s string) string { return s },
		func(s string) string { return hex.EncodeToString([]byte(s)) },
		func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return broken(base64.StdEncoding.EncodeToString([]byte(s))) },
	}
	escapes = []func(string) string{
		func(s string) string { return s },
		url.QueryEscape,
		url.PathEscape,
		func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
		func(s string) string { return percent.ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower) },
		func(s string) string { return eachByte(s, "%%%02x") },
		func(s string) string { return eachByte(s, "%%%02X") },
		func(s string) string { text, _ := json.Marshal(s); return string(text[1 : len(text)-1]) },
		func(s string) string { text := strconv.QuoteToASCII(s); return text[1 : len(text)-1] },
		func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		html.EscapeString,
		func(s string) string { return eachRune(s, "&#%d;") },
		func(s string) string { return eachRune(s, "&#x%x;") },
		func(s string) string { return eachRune(s, `\u%04x`) },
	}
)

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

// broken breaks text into lines of 16 characters, the first with something before it.
func broken(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%16 == 0 {
			b.WriteString("\r\n")
		}
		b.WriteRune(r)
	}
	return b.String()
}

func eachByte(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func eachRune(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		if r > 0xffff {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

// survives writes a secret, escapes it twice, and tells what is left of that between two marks after masking; "***" is all
// that should be.
func survives(secret string, writing, inner, outer int) (text, left string) {
	written := writings[writing%len(writings)](secret)
	text = escapes[outer%len(escapes)](escapes[inner%len(escapes)](written))
	got := vault.NewMasker(map[string]string{"A": secret}).Text("(((" + text + ")))")
	return text, strings.TrimSuffix(strings.TrimPrefix(got, "((("), ")))")
}

// fit tells whether a text can be a secret of these tests: it is text, and has nothing of the marks.
func fit(secret string) bool {
	return len(secret) >= 6 && len(secret) < 300 && utf8.ValidString(secret) && !strings.ContainsAny(secret, "()*\ufffd") && strings.TrimSpace(secret) != ""
}

func TestNoEncodingOfASecretSurvives(t *testing.T) {
	kinds := len(escapes)
	for _, secret := range []string{"canary-0815", "pass word/with+plus", `quo"te' & <tag>`, "näïve-ключ-\U0001f600", "a\nb\tc\\d/e", "????>>>>~~~~", "p%20q&r=s;%zz", "-----begin key-----\nabcdefghijklmnop\nqrstuvwxyz012345\n-----end key-----\n"} {
		for writing := range writings {
			for both := range kinds * kinds {
				if text, left := survives(secret, writing, both%kinds, both/kinds); left != "***" {
					t.Errorf("%q, written %d, escaped %d and %d: %q became %q", secret, writing, both%kinds, both/kinds, text, left)
				}
			}
		}
	}
}

func TestNoSecretSurvivesInsideLongerBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9/+ _.-]{5,40}`).Draw(t, "secret")
		before, after := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "before"), rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "after")
		text := base64.StdEncoding.EncodeToString(append(append(before, secret...), after...))
		got := vault.NewMasker(map[string]string{"A": secret}).Text(text)
		if !strings.Contains(got, "***") {
			t.Fatalf("%q is left in %q", secret, got)
		}
		core := text[(8*len(before)+5)/6 : 8*(len(before)+len(secret))/6]
		if strings.Contains(got, core) {
			t.Fatalf("%q of %q is left in %q", core, secret, got)
		}
	})
}

func TestTextWithoutSecretsIsLeftAsItIs(t *testing.T) {
	m := vault.NewMasker(map[string]string{"A": "CANARY-0815", "B": "hunter2hunter2"})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"", "%41%4", `\u00`, `\u0041`, "&amp;", "&#", "&;", "\r\n", `\`, "%"}).Draw(t, "escape") + rapid.String().Draw(t, "more")
		if got := m.Text(text); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestLinesAroundASecretStay(t *testing.T) {
	m := vault.NewMasker(map[string]string{"A": "CANARY-0815"})
	for text, want := range map[string]string{
		"a\nCANARY-0815\nb":             "a\n***\nb",
		`{"a":"x\nCANARY-0815\ny"}`:     `{"a":"x\n***\ny"}`,
		"CANARY-0815&amp;CANARY-0815":   "***&amp;***",
		"x=%43ANARY-0815%26y=1":         "x=***%26y=1",
		"CANARY-08\n15, CANARY-0815":    "***, ***",
		"CANARY-081, ANARY-0815, 50 %.": "CANARY-081, ANARY-0815, 50 %.",
	} {
		if got := m.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestNumbersThatAreWrittenLikeASecretAreMasked(t *testing.T) {
	m := vault.NewMasker(map[string]string{"PIN": "4711081"})
	got, _ := json.Marshal(m.Value(map[string]any{"pin": 4711081, "other": 4711082.5, "float": 4711081.0, "list": []any{uint64(4711081), true, nil}}))
	if want := `{"float":"***","list":["***",true,null],"other":4711082.5,"pin":"***"}`; string(got) != want {
		t.Errorf("%s", got)
	}
	if !m.Shows([]byte("anything")) || vault.NewMasker(map[string]string{"A": "CANARY"}).Shows([]byte("anything")) || !vault.NewMasker(map[string]string{"A": "CANARY"}).Shows([]byte("a CANARY")) {
		t.Error("what may hold a secret, and what does not")
	}
}

func FuzzNoEncodingOfASecretSurvives(f *testing.F) {
	f.Add("canary-0815", 0, 7, 1)
	f.Add("pass word/with+plus", 3, 1, 10)
	f.Add("a\nb\tc\\d/e", 5, 13, 12)
	f.Fuzz(func(t *testing.T, secret string, writing, inner, outer int) {
		if !fit(secret) || writing < 0 || inner < 0 || outer < 0 {
			return
		}
		if text, left := survives(secret, writing, inner, outer); left != "***" {
			t.Errorf("%q became %q", text, left)
		}
	})
}
