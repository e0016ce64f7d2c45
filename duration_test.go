package orbit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

func has(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

func TestDurationsAreWrittenShort(t *testing.T) {
	for d, want := range map[time.Duration]string{6 * time.Hour: "6h", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Minute: "1m", 90 * time.Minute: "1h30m",
		0: "0s", 168 * time.Hour: "168h", time.Hour + time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s", 20 * time.Hour: "20h", -time.Hour: "-1h"} {
		if got := orbit.Duration(d).String(); got != want {
			t.Errorf("%s is written %s, want %s", d, got, want)
		}
	}
}

func TestDurationsSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := orbit.Duration(rapid.Int64().Draw(t, "d"))
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back orbit.Duration
		if err := json.Unmarshal(text, &back); err != nil || back != d {
			t.Fatalf("%d became %s and then %d: %v", d, text, back, err)
		}
	})
	var d orbit.Duration
	if err := json.Unmarshal([]byte(`"6 hours"`), &d); err == nil || !strings.Contains(err.Error(), `"6 hours" is no duration; write it like 30s, 10m or 6h`) {
		t.Error(err)
	}
}

func TestWorkGoesIntoTheNextTierUp(t *testing.T) {
	for left, want := range map[time.Duration]string{-time.Hour: "1h", 0: "1h", time.Hour: "1h", time.Hour + 1: "3h", 3 * time.Hour: "3h", 5 * time.Hour: "6h",
		6*time.Hour + time.Second: "12h", 13 * time.Hour: "24h", 24 * time.Hour: "24h", 168 * time.Hour: "24h"} {
		if got := orbit.TierFor(left); got != want {
			t.Errorf("with %s left: %s, want %s", left, got, want)
		}
	}
}

func TestAmountsOfBytesAreRead(t *testing.T) {
	for text, want := range map[string]orbit.Bytes{"0": 0, "1024": 1024, "16GiB": 16 * orbit.GiB, " 512 MB ": 512_000_000, "1.5G": 3 * orbit.GiB / 2, "8MiB": 8 * orbit.MiB,
		"2TiB": 2048 * orbit.GiB, "3TB": 3e12, "1K": 1024, "1kB": 1000, "1KB": 1000, "7B": 7, "0.5KiB": 512, "1T": 1024 * orbit.GiB} {
		got, err := orbit.ParseBytes(text)
		if err != nil || got != want {
			t.Errorf("%q is read as %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "G", "-1", "-1GiB", "1e30", "9223372036854775808", "NaN", "inf", "Inf GiB", "16 gib", "1 2", "1GiBB", "0x"} {
		if got, err := orbit.ParseBytes(text); err == nil || !strings.Contains(err.Error(), "write it like 16GiB") {
			t.Errorf("%q is read as %d, %v", text, got, err)
		}
	}
}

func TestAmountsOfBytesAreWrittenForPeopleAndAsNumbersInJSON(t *testing.T) {
	for b, want := range map[orbit.Bytes]string{0: "0B", 1023: "1023B", 1024: "1KiB", 1536: "1.5KiB", 40 * orbit.GiB: "40GiB", 85_470_000_000: "79.6GiB", 5000 * orbit.GiB: "4.9TiB"} {
		if got := b.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(b), got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := orbit.Bytes(rapid.Int64Min(0).Draw(t, "b"))
		text, _ := json.Marshal(b)
		var back orbit.Bytes
		if err := json.Unmarshal(text, &back); err != nil || back != b {
			t.Fatalf("%d became %s and then %d: %v", b, text, back, err)
		}
	})
	var b orbit.Bytes
	if err := json.Unmarshal([]byte(`"2GiB"`), &b); err != nil || b != 2*orbit.GiB {
		t.Errorf("%d, %v", b, err)
	}
	for _, text := range []string{`"much"`, `true`, `-5`, `{}`} {
		if err := json.Unmarshal([]byte(text), &b); err == nil {
			t.Errorf("%s is taken for an amount", text)
		}
	}
}
