package cluster_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

func TestLongestIsTheSumOfAllWaits(t *testing.T) {
	for name, c := range map[string]struct {
		policy cluster.RetryPolicy
		want   time.Duration
	}{
		"the default":   {cluster.DefaultRetries, 31 * time.Second},
		"no retries":    {cluster.RetryPolicy{Strategy: "fixed", Delay: orbit.Duration(time.Hour)}, 0},
		"linear":        {cluster.RetryPolicy{Max: 4, Strategy: "linear", Delay: orbit.Duration(time.Minute)}, 10 * time.Minute},
		"bounded":       {cluster.RetryPolicy{Max: 10, Strategy: "fixed", Delay: orbit.Duration(time.Hour), MaxDelay: orbit.Duration(time.Second)}, 10 * time.Second},
		"past all time": {cluster.RetryPolicy{Max: 100, Strategy: "exponential", Delay: orbit.Duration(time.Hour), Factor: 100}, math.MaxInt64 / 2},
		"no factor":     {cluster.RetryPolicy{Max: 3, Strategy: "exponential", Delay: orbit.Duration(time.Hour)}, time.Hour},
	} {
		if got := c.policy.Longest(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	for _, jitter := range []string{"none", "equal", "full"} {
		p := cluster.DefaultRetries
		p.Jitter = jitter
		if p.Longest() != 31*time.Second {
			t.Errorf("with jitter %s %v", jitter, p.Longest())
		}
	}
}

func TestLongRetriesAreToldOnceForEachKeyThatSaysSo(t *testing.T) {
	file := func(retries, steps string) string {
		return strings.Replace(strings.Replace(head, "6h", "10m", 1), "  satellites:\n", retries+"  satellites:\n", 1) + steps
	}
	for name, c := range map[string]struct{ text, want string }{
		"the cluster's":                          {file("  retries: {max: 20, delay: 1m}\n", step("a", "")+step("b", "")), "6:3 C083\n"},
		"a step's":                               {file("", step("a", "")+step("b", "retries: {max: 20, delay: 1m}")), "8:67 C083\n"},
		"both, differently":                      {file("  retries: {max: 20, delay: 1m}\n", step("a", "")+step("b", "retries: 30")), "6:3 C083\n9:67 C083\n"},
		"a step's that follows from the cluster": {file("  retries: {max: 20, delay: 1m}\n", step("a", "")+step("b", "retries: {jitter: none}")), "6:3 C083\n"},
		"the cluster's, which no step has":       {file("  retries: {max: 20, delay: 1m}\n", step("a", "retries: 2")), ""},
		"exactly the sla":                        {file("  retries: {max: 10, strategy: fixed, delay: 1m}\n", step("a", "")), ""},
		"a second more":                          {file("  retries: {max: 10, strategy: fixed, delay: 60.1s}\n", step("a", "")), "6:3 C083\n"},
		"retries that are wrong":                 {file("  retries: {max: 20, delay: 1m, strategy: fast}\n", step("a", "")), ""},
	} {
		var got strings.Builder
		for _, line := range strings.Split(told(compile(c.text).Diagnostics), "\n") {
			if place, _, long := strings.Cut(line, " warning ORB-C083"); long {
				got.WriteString(place + " C083\n")
			}
		}
		if got.String() != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got.String(), c.want)
		}
	}
}
