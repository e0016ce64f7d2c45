package vault_test

import (
	"strings"
	"testing"

	"github.com/exospherehost/orbit/vault"
)

var benched = map[string]string{"A": "AKIAIOSFODNN7EXAMPLE", "B": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "C": "Bearer-0123456789abcdef0123456789abcdef", "D": strings.Repeat("MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwgg\n", 40)}

func BenchmarkMaskPlainText(b *testing.B) {
	text := strings.Repeat("the quick brown fox jumps over the lazy dog and goes to http://example.com/path?query=1, ", 700)
	m := vault.NewMasker(benched)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.Text(text)
	}
}

func BenchmarkMaskEscapedText(b *testing.B) {
	text := strings.Repeat(`{\"a\":\"the quick brown fox &amp; the lazy dog\",\n \"b\": \"%2Fpath%20x\"}`, 800)
	m := vault.NewMasker(benched)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.Text(text)
	}
}

func BenchmarkMaskReplacer(b *testing.B) { // what was there before: a search for the values alone
	text := strings.Repeat("the quick brown fox jumps over the lazy dog and goes to http://example.com/path?query=1, ", 700)
	var pairs []string
	for _, v := range benched {
		pairs = append(pairs, v, "***")
	}
	m := strings.NewReplacer(pairs...)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.Replace(text)
	}
}

func BenchmarkNewMasker(b *testing.B) {
	for b.Loop() {
		vault.NewMasker(benched)
	}
}
