package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// statusCommand is `orbit status`.
type statusCommand struct {
	ID string `arg:"" name:"run" help:"Id of the run."`
}

// Help is the long help.
func (*statusCommand) Help() string {
	return "The exit code is 0 whatever has become of the run: looking at a failed run is no failure."
}

// Run shows a run.
func (c *statusCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := client.Run(ctx, c.ID, 0)
	if err != nil {
		return err
	}
	return show(a, raw, func(r orbit.Run) error { return a.showRun(&r, time.Now()) })
}

// showRun writes what a person wants to know of a run: the facts, then a row for each satellite.
func (a *app) showRun(r *orbit.Run, now time.Time) error {
	state := string(r.State)
	if hue := hues[state]; hue != "" && a.colorOn(a.stdout) {
		state = paint(hue, state)
	}
	facts := [][2]string{{"run", r.ID}, {"cluster", fmt.Sprintf("%s  version %s", r.Cluster, r.Version)}, {"state", state}}
	if r.Error != "" {
		facts = append(facts, [2]string{"error", oneLine(r.Error)})
	}
	if r.Round > 1 {
		facts = append(facts, [2]string{"round", strconv.Itoa(r.Round)})
	}
	facts = append(facts, [2]string{"trigger", fmt.Sprintf("%s at %s", r.Trigger.Type, shortTime(&r.Trigger.At, now))},
		[2]string{"deadline", deadlineText(r, now)})
	if took := between(r.StartedAt, r.FinishedAt, now); took != "" {
		facts = append(facts, [2]string{"time", took})
	}
	if len(r.Usage) > 0 {
		facts = append(facts, [2]string{"usage", usageText(r.Usage)})
	}
	for _, f := range facts {
		if err := a.print("%-9s %s", f[0], f[1]); err != nil {
			return err
		}
	}
	if err := a.print(""); err != nil {
		return err
	}
	t := a.newTable("SATELLITE PART CLASS >WAITING >RUNNING >RETRYING >SUCCEEDED >FAILED >SKIPPED >CANCELLED")
	for _, s := range r.Satellites {
		row := []string{s.Identifier, s.Part, s.Class}
		for _, state := range orbit.ItemStates {
			row = append(row, strconv.Itoa(s.Items.Of(state)))
		}
		t.add(row...)
	}
	return t.flush()
}

// usageText says what a run took: "1204 completion-tokens, 52118 prompt-tokens".
func usageText(u orbit.Usage) string {
	var parts []string
	for _, name := range u.Names() {
		parts = append(parts, fmt.Sprintf("%d %s", u[name], name))
	}
	return strings.Join(parts, ", ")
}

// deadlineText says when a run is due and how it stands to that: "18:00:00 (6h SLA), in 5h12m".
func deadlineText(r *orbit.Run, now time.Time) string {
	text := fmt.Sprintf("%s (%s SLA)", shortTime(&r.Deadline, now), r.SLA)
	left := r.Deadline.Sub(now)
	switch {
	case r.DeadlineMissed:
		return text + ", missed"
	case r.State.Terminal():
		return text + ", kept"
	case left > 0:
		return text + ", in " + shortDuration(left)
	}
	return text + ", passed"
}

// counts are the items of a run.
type counts struct{ done, total, failed int }

func countItems(satellites []orbit.RunSatellite) counts {
	var n counts
	for _, s := range satellites {
		for i, items := range s.Items {
			n.total += items
			if orbit.ItemStates[i].Terminal() {
				n.done += items
			}
		}
		n.failed += s.Items.Of(orbit.ItemFailed)
	}
	return n
}

func share(n counts) string { return fmt.Sprintf("%d/%d", n.done, n.total) }
