package cli

import (
	"fmt"
	"time"
)

// shortTime gives a time as a person in now's time zone needs it: the day only where it is not today, the year only where
// it is another. A nil time is empty.
func shortTime(t *time.Time, now time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	at := t.In(now.Location())
	switch {
	case at.Year() == now.Year() && at.YearDay() == now.YearDay():
		return at.Format("15:04:05")
	case at.Year() == now.Year():
		return at.Format("Jan _2 15:04")
	}
	return at.Format("2006-01-02")
}

// shortDuration gives a duration in its two largest units: 950ms, 3.2s, 1m05s, 2h03m, 3d04h.
func shortDuration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + shortDuration(-d)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// between gives the time from start to end, up to now where there is no end yet; empty without a start.
func between(start, end *time.Time, now time.Time) string {
	switch {
	case start == nil:
		return ""
	case end == nil:
		return shortDuration(max(0, now.Sub(*start)))
	}
	return shortDuration(end.Sub(*start))
}

// one gives "1 item" or "3 items".
func one(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
