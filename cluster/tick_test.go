package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

func TestTicks(t *testing.T) {
	for name, c := range map[string]struct {
		cron, zone, after string
		want              []string // in the zone
	}{
		"each day": {"30 2 * * *", "UTC", "2026-03-28T02:30:00Z", []string{"2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"}},
		"an hour that is left out fires when clocks have been put forward": {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		"an hour that comes twice fires the first time": {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		"from between the two": {"45 2 * * *", "Europe/Berlin", "2026-10-25T02:50:00+02:00", []string{"2026-10-26T02:45:00+01:00"}},
		"each hour goes on where clocks are put back": {"0 * * * *", "Europe/Berlin", "2026-10-25T01:30:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}},
		"each hour goes on where clocks are put forward": {"@hourly", "Europe/Berlin", "2026-03-29T01:30:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"}},
		"a jump of half an hour": {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		"a jump at midnight": {"@daily", "America/Havana", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T01:00:00-04:00", "2026-03-09T00:00:00-04:00"}},
		"several times in the hour that is left out come together": {"0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		"a leap day": {"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		"Sundays":    {"0 9 * * 0", "America/New_York", "2026-11-27T00:00:00Z", []string{"2026-11-29T09:00:00-05:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			ticks, err := (&cluster.Trigger{Type: "cron", Cron: c.cron, Timezone: c.zone}).NewTicks()
			if err != nil {
				t.Fatal(err)
			}
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range c.want {
				at = ticks.Next(at)
				got = append(got, at.In(zone).Format(time.RFC3339))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the zone and the time, ticks go forward, are what the schedule says by the clock on the wall unless that is left out,
// and are the same from wherever one looks.
func TestTicksGoForwardAndDoNotDependOnWhereOneLooksFrom(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca"} {
		for _, text := range []string{"*/20 * * * *", "15 2 * * *", "0 0 * * *", "30 1,2,3 * * 0", "59 23 28-31 * *"} {
			ticks, err := (&cluster.Trigger{Type: "cron", Cron: text, Timezone: zone}).NewTicks()
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 3, 1, 0, 7, 0, 0, time.UTC)
			for i := range 600 {
				next := ticks.Next(at)
				if !next.After(at) {
					t.Fatalf("%s in %s: after %s comes %s", text, zone, at, next)
				}
				if from := at.Add(next.Sub(at) / 2); from.After(at) && !ticks.Next(from).Equal(next) {
					t.Fatalf("%s in %s: after %s comes %s, and after %s comes %s", text, zone, at, next, from, ticks.Next(from))
				}
				if at = next; i > 500 {
					at = at.Add(13 * time.Minute)
				}
			}
		}
	}
}
