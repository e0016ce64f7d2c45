package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
)

var begun = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// stood gives a snapshot in which parse-pdf has the given items done, failed and waiting.
func stood(after time.Duration, done, failed, waiting int) snapshot {
	return snapshot{begun.Add(after), &orbit.Run{ID: "r", Cluster: "demo/reports", State: orbit.RunRunning, CreatedAt: begun, Satellites: []orbit.RunSatellite{
		{Identifier: "get-files", Items: orbit.CountItems(map[orbit.ItemState]int{orbit.ItemSucceeded: 1})},
		{Identifier: "parse-pdf", Items: orbit.CountItems(map[orbit.ItemState]int{orbit.ItemSucceeded: done, orbit.ItemFailed: failed, orbit.ItemWaiting: waiting, orbit.ItemRetrying: 2})},
		{Identifier: "write"},
	}}}
}

func TestProgressOnATerminalIsABlock(t *testing.T) {
	got := progressBlock(stood(0, 0, 0, 98), stood(10*time.Second, 35, 5, 58), 100, 20)
	want := []string{
		"demo/reports running  41/101 items  10.0s",
		"  get-files        1/1",
		"  parse-pdf     40/100  5 failed  2 to be tried again  4.0/s  about 15s left",
		"  write            0/0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("block (-want +got):\n%s", d)
	}
}

func TestProgressKeepsToTheWindow(t *testing.T) {
	got := progressBlock(stood(0, 0, 0, 98), stood(10*time.Second, 35, 5, 58), 30, 3)
	want := []string{"demo/reports running  41/101 …", "  parse-pdf     40/100  5 fai…", "  … and 2 satellites that are…"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("block (-want +got):\n%s", d)
	}
}

func TestProgressElsewhereIsALineOnChange(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b}
	for _, s := range []snapshot{
		stood(0, 0, 0, 98), stood(500*time.Millisecond, 1, 0, 97), // too soon
		stood(2*time.Second, 8, 0, 90), stood(4*time.Second, 8, 0, 90), // no change
		stood(5*time.Second, 8, 1, 89),
	} {
		p.show(s)
	}
	p.clear()
	want := []string{
		"running: get-files 1/1, parse-pdf 0/100",
		"running: get-files 1/1, parse-pdf 8/100  4.0/s  about 23s left",
		"running: get-files 1/1, parse-pdf 9/100 (1 failed)  1.8/s  about 51s left",
		"",
	}
	if d := cmp.Diff(want, strings.Split(b.String(), "\n")); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}

func TestABlockIsWrittenOverAndTakenAway(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b}
	p.draw([]string{"a", "b"})
	p.draw([]string{"c"})
	p.clear()
	p.clear()
	if want := "a\nb\n\x1b[2A\x1b[Jc\n\x1b[1A\x1b[J"; b.String() != want {
		t.Errorf("written %q, want %q", b.String(), want)
	}
}

func TestRatesAreThoseOfTheLast10Seconds(t *testing.T) {
	p := &progress{w: &bytes.Buffer{}}
	for i := range 60 {
		p.show(stood(time.Duration(i)*time.Second, i, 0, 98-i))
	}
	if first := p.window[0].At.Sub(begun); first != 49*time.Second {
		t.Errorf("the window begins %s after the start", first)
	}
}

func TestShortFormsOfTimes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 1500 * time.Microsecond: "1ms", 950 * time.Millisecond: "950ms", 3290 * time.Millisecond: "3.2s", 59999 * time.Millisecond: "59.9s",
		65 * time.Second: "1m05s", 59*time.Minute + 59*time.Second: "59m59s", 123 * time.Minute: "2h03m", 76 * time.Hour: "3d04h", -time.Minute: "-1m00s",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	now := time.Date(2025, 7, 9, 14, 0, 0, 0, time.FixedZone("", 2*3600))
	for in, want := range map[string]string{
		"2025-07-09T10:00:05Z": "12:00:05", "2025-07-08T22:30:00Z": "00:30:00", "2025-07-08T21:30:00Z": "Jul  8 23:30", "2024-12-31T12:00:00Z": "2024-12-31",
	} {
		at, err := time.Parse(time.RFC3339, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := shortTime(&at, now); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := shortTime(nil, now); got != "" {
		t.Errorf("no time is %q", got)
	}
}
