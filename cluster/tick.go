package cluster

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/exospherehost/orbit"
)

// ID names a trigger of a cluster. It is the same in every version of the cluster that has the trigger.
func (t *Trigger) ID(identifier string) string {
	return orbit.HashID("trigger", identifier, t.Type, t.Cron, t.Timezone, t.Subject, t.Filter, t.Cluster, t.On)
}

// Ticks computes the times at which a cron trigger fires.
type Ticks struct {
	schedule cron.Schedule
	zone     *time.Location
	hourly   bool // it fires whatever the hour
}

// NewTicks reads the schedule of a cron trigger, which has been compiled.
func (t *Trigger) NewTicks() (*Ticks, error) {
	schedule, err := parseCron(strings.TrimSpace(t.Cron))
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(t.Timezone)
	if err != nil {
		return nil, err
	}
	const everyHour = 1<<24 - 1
	spec, ok := schedule.(*cron.SpecSchedule)
	return &Ticks{schedule, zone, ok && spec.Hour&everyHour == everyHour}, nil
}

// Next gives the first tick after a time, in UTC; zero where there is none.
//
// Where clocks are put forward, what names an hour that is left out fires when the clocks have been put forward; where they are
// put back, it fires the first time only. What fires every hour goes on every hour, whatever the clocks do.
func (t *Ticks) Next(after time.Time) time.Time {
	if t.hourly {
		return t.schedule.Next(after.In(t.zone)).UTC()
	}
	// What clocks on the wall say, taken for UTC, knows no jumps.
	local := after.In(t.zone)
	_, offset := local.Zone()
	wall := local.Add(time.Duration(offset) * time.Second).UTC()
	for {
		wall = t.schedule.Next(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		if at := t.when(wall); at.After(after) {
			return at
		}
	}
}

// when gives the first moment at which clocks on the wall say at least what wall says, where it is taken for UTC.
func (t *Ticks) when(wall time.Time) time.Time {
	const day = 24 * time.Hour
	_, before := wall.Add(-day).In(t.zone).Zone() // the offset before a jump of that day, and behind it
	_, behind := wall.Add(day).In(t.zone).Zone()
	early := wall.Add(-time.Duration(before) * time.Second)
	if _, offset := early.In(t.zone).Zone(); offset == before {
		return early.UTC()
	}
	late := wall.Add(-time.Duration(behind) * time.Second)
	if _, offset := late.In(t.zone).Zone(); offset == behind {
		return late.UTC()
	}
	// Left out: the jump lies between the two.
	for late.Before(early) {
		middle := late.Add(early.Sub(late) / 2).Truncate(time.Second)
		if _, offset := middle.In(t.zone).Zone(); offset == before {
			late = middle.Add(time.Second)
		} else {
			early = middle
		}
	}
	return early.UTC()
}

// parseCron reads five fields or a macro.
func parseCron(text string) (cron.Schedule, error) {
	return cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(text)
}
