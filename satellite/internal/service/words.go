package service

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Name is method and URL of a request, for an error.
func Name(req *http.Request) string { return req.Method + " " + Bare(req.URL) }

// Bare writes a URL without what may be secret in it: user, password, query and fragment.
func Bare(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// Cause gives the innermost reason of a network error: "connection refused".
func Cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Excerpt gives the first 200 characters of a text, on one line.
func Excerpt(text string) string {
	const most = 200
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Cut shortens a text to at most so many bytes, between characters, and marks that it did.
func Cut(text string, most int) string {
	const mark = "…"
	if len(text) <= most {
		return text
	}
	end := max(most-len(mark), 0)
	for end > 0 && !isStart(text[end]) {
		end--
	}
	if most < len(mark) {
		return ""
	}
	return text[:end] + mark
}

// isStart tells whether a byte begins a character of UTF-8.
func isStart(b byte) bool { return b&0xc0 != 0x80 }

// CutRunes shortens a text to at most so many characters, and marks that it did.
func CutRunes(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:max(most-1, 0)]) + "…"
}
