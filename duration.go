package orbit

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a time.Duration that is written "6h", "90s" or "1h30m" in files and JSON.
type Duration time.Duration

// String gives the shortest form: "6h" rather than "6h0m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes what String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write it like 30s, 10m or 6h", text)
	}
	*d = Duration(v)
	return nil
}

// Tiers are the queues that work waits in by the time left to its deadline, shortest first.
var Tiers = [...]Tier{{"1h", time.Hour}, {"3h", 3 * time.Hour}, {"6h", 6 * time.Hour}, {"12h", 12 * time.Hour}, {"24h", 24 * time.Hour}}

// Tier is a queue for work that has at most Within left to its deadline.
type Tier struct {
	Name   string
	Within time.Duration
}

// TierFor names the tier for work with the given time left: the next one up, the last for anything longer.
func TierFor(left time.Duration) string {
	for _, t := range Tiers {
		if left <= t.Within {
			return t.Name
		}
	}
	return Tiers[len(Tiers)-1].Name
}
