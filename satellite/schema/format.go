package schema

import (
	"errors"
	"math"
	"net/url"
	"strconv"
	"time"
)

// formats are the values of `format` that JSON Schema has not, with the sentence for a value that does not fit.
var formats = [...]struct {
	name     string
	validate func(any) error
	message  string
}{
	{"go-duration", checkDuration, "must be a duration such as 500ms, 30s or 5m"},
	{"http-url", checkURL, "must be a URL such as https://example.com/path"},
}

func formatMessage(name string) string {
	for _, f := range formats {
		if f.name == name {
			return f.message
		}
	}
	return "must be of the form " + strconv.Quote(name)
}

var errFormat = errors.New("malformed") // formatMessage says what is expected

func checkDuration(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	if d, err := time.ParseDuration(text); err != nil || d <= 0 {
		return errFormat
	}
	return nil
}

func checkURL(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errFormat
	}
	return nil
}

// finite tells whether NaN and the infinities, which YAML can write and JSON cannot, are nowhere in a value.
func finite(value any) bool {
	switch value := value.(type) {
	case float64:
		return !math.IsNaN(value) && !math.IsInf(value, 0)
	case []any:
		for _, e := range value {
			if !finite(e) {
				return false
			}
		}
	case map[string]any:
		for _, e := range value {
			if !finite(e) {
				return false
			}
		}
	}
	return true
}

// nonFinite finds all of them.
func nonFinite(value any, path []string) []Violation {
	var out []Violation
	switch value := value.(type) {
	case float64:
		if !finite(value) {
			out = append(out, Violation{Path: append([]string(nil), path...), Message: "must be a finite number"})
		}
	case []any:
		for i, e := range value {
			out = append(out, nonFinite(e, append(path, strconv.Itoa(i)))...)
		}
	case map[string]any:
		for k, e := range value {
			out = append(out, nonFinite(e, append(path, k))...)
		}
	}
	return out
}
