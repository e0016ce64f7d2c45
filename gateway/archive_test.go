package gateway

import (
	"strings"
	"testing"
	"time"
)

func TestRetentionIsInForceByDefaultAndNeverTooShort(t *testing.T) {
	if after, keep, err := retention(0, 0); after != DefaultArchiveAfter || keep != DefaultKeepRuns || err != nil {
		t.Errorf("by default %s and %s, %v", after, keep, err)
	}
	for want, c := range map[string]struct{ after, keep time.Duration }{
		"archive-after is 10m; a run is put away 15m after its end at the earliest": {10 * time.Minute, 0},
		"archive-after is -1h; ":                            {-time.Hour, 0},
		"keep-runs is 24h; runs are kept for 168h at least": {0, 24 * time.Hour},
	} {
		if _, _, err := retention(c.after, c.keep); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s, %s: %v; want %q", c.after, c.keep, err, want)
		}
	}
}
