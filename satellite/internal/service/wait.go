package service

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxWait caps what a service may ask for: a run has a deadline, and an item that sleeps for a day misses it.
const MaxWait = time.Hour

// RetryAfter reads the header's seconds or date; 0 where it says nothing usable.
func RetryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(MaxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxWait)
}
