package webhook

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

var methods = []string{"POST", "GET", "PUT", "PATCH", "DELETE", "HEAD"}

// newRequest puts the request of one item together. Its errors are permanent: config or input are at fault.
func newRequest(ctx context.Context, inv *satellite.Invocation) (*http.Request, error) {
	method := "POST"
	if m, ok := inv.Config["method"].(string); ok {
		method = m
	}
	if !slices.Contains(methods, method) {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "method %q is none of %s", method, strings.Join(methods, ", "))
	}
	target, err := parseURL(inv.Config["url"])
	if err != nil {
		return nil, err
	}
	given, err := gather(inv, method)
	if err != nil {
		return nil, err
	}
	if target.RawQuery != "" && given.query != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += given.query

	header, sent, err := headers(inv.Config["headers"])
	if err != nil {
		return nil, err
	}
	body, contentType, err := given.encode()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(withSentHeaders(ctx, sent), method, target.String(), body)
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "url: no request can be made of %s", service.Bare(target))
	}
	req.Header = header
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	setDefault(header, "Content-Type", contentType)
	setDefault(header, "Idempotency-Key", inv.IdempotencyKey())
	setDefault(header, "User-Agent", "exosphere-orbit")
	return req, nil
}

func parseURL(v any) (*url.URL, error) {
	text, _ := v.(string)
	target, err := url.Parse(strings.TrimSpace(text))
	if err != nil || target.Hostname() == "" || (target.Scheme != "http" && target.Scheme != "https") {
		// The text is not repeated: a URL that cannot be read cannot be stripped of what is secret in it.
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "url is no http or https URL; write it like https://example.com/path")
	}
	return target, nil
}

// headers gives the config's headers and the set of their names.
func headers(v any) (http.Header, map[string]bool, error) {
	fields, _ := v.(map[string]any)
	out, sent := http.Header{}, map[string]bool{}
	for key, value := range fields {
		text, ok := scalar(value)
		if !ok || !isToken(key) || strings.ContainsFunc(text, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
			return nil, nil, orbit.Permanent(orbit.CodeInvalidConfig, "headers: %q cannot be sent; name and value must be one line of text", key)
		}
		out.Set(key, text)
		sent[http.CanonicalHeaderKey(key)] = true
	}
	return out, sent, nil
}

// isToken tells whether text may be the name of a header (RFC 9110, 5.6.2).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func setDefault(h http.Header, key, value string) {
	if value != "" && h.Get(key) == "" {
		h.Set(key, value)
	}
}
