package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/vault"
)

// written is a secret in the forms in which it turns up in outputs, errors and logs.
func written(v string) map[string]string {
	escaped, _ := json.Marshal(v)
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a string always encodes
	return map[string]string{
		"as it is":                   v,
		"in a query":                 url.QueryEscape(v),
		"in a path":                  url.PathEscape(v),
		"in JSON":                    strings.Trim(plain.String(), "\"\n"),
		"in JSON for HTML":           strings.Trim(string(escaped), `"`),
		"in base64":                  base64.StdEncoding.EncodeToString([]byte(v)),
		"in base64 without padding":  base64.RawStdEncoding.EncodeToString([]byte(v)),
		"in base64url":               base64.URLEncoding.EncodeToString([]byte(v)),
		"in base64url, not padded":   base64.RawURLEncoding.EncodeToString([]byte(v)),
		"in the middle of something": "https://x:" + v + "@example.com/",
	}
}

func TestSecretsAreMaskedInEveryCommonForm(t *testing.T) {
	for _, v := range []string{"hunter2-and-more", "pass word/with+plus", `quo"te & <tag>`, "näïve-ключ", "a\nb\tc\\d", "????>>>>~~~~\xff\xfe", "p%20q&r=s"} {
		m := vault.NewMasker(map[string]string{"A": v})
		for form, text := range written(v) {
			got := m.Text("before " + text + " after")
			if strings.Contains(got, text) || !strings.Contains(got, "***") || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Errorf("%q %s: %q became %q", v, form, text, got)
			}
		}
	}
}

func TestNoMaskedTextHoldsASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOfN(rapid.StringMatching(`[A-Z]{1,3}`), rapid.StringN(4, 12, -1), 1, 4).Draw(t, "secrets")
		var text strings.Builder
		for _, v := range values {
			for _, form := range written(v) {
				text.WriteString(rapid.StringN(0, 5, -1).Draw(t, "between") + form + " ")
			}
		}
		got := vault.NewMasker(values).Text(text.String())
		for _, v := range values {
			if strings.Contains(got, v) && !strings.Contains(v, "*") {
				t.Fatalf("%q is left in %q", v, got)
			}
		}
	})
}

func TestASecretThatBeginsLikeAnotherLeavesNoTail(t *testing.T) {
	m := vault.NewMasker(map[string]string{"A": "secret", "B": "secret-and-more", "C": "more"})
	if got := m.Text("secret-and-more, secret, more"); got != "***, ***, ***" {
		t.Error(got)
	}
}

func TestShortValuesAreNotMasked(t *testing.T) {
	for _, m := range []*vault.Masker{nil, {}, vault.NewMasker(nil), vault.NewMasker(map[string]string{"A": "", "B": "abc"})} {
		if m.Active() || m.Text("abc") != "abc" || !reflect.DeepEqual(m.Value([]any{"abc"}), []any{"abc"}) {
			t.Error("a masker without anything to mask changes text")
		}
	}
	if got := vault.NewMasker(map[string]string{"A": "abcd"}).Text("abcd"); got != "***" {
		t.Errorf("four characters: %q", got)
	}
}

func TestValuesAreMaskedToTheirDepthAndNotChangedInPlace(t *testing.T) {
	m := vault.NewMasker(map[string]string{"A": "CANARY-1"})
	in := map[string]any{"a": "x CANARY-1 y", "CANARY-1": 1.5, "list": []any{nil, true, "CANARY-1", map[string]any{"deep": []any{"CANARY-1"}}}}
	before, _ := json.Marshal(in)
	out, _ := json.Marshal(m.Value(in))
	if want := `{"***":1.5,"a":"x *** y","list":[null,true,"***",{"deep":["***"]}]}`; string(out) != want {
		t.Errorf("%s, want %s", out, want)
	}
	if after, _ := json.Marshal(in); !bytes.Equal(before, after) {
		t.Errorf("what was given became %s", after)
	}
}
