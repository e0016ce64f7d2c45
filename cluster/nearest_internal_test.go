package cluster

import "testing"

func TestNearestName(t *testing.T) {
	known := []string{"identifier", "retries", "timeout", "rate-limit", "AWS_ACCESS_KEY", "sla"}
	for word, want := range map[string]string{
		"identifer": "identifier", "indentifier": "identifier", "retires": "retries", "retry": "retries", "rate_limit": "rate-limit",
		"Timeout": "timeout", "AWS_ACCESS_KEY_ID": "AWS_ACCESS_KEY", "slo": "sla", "als": "", "colour": "", "": "", "x": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
