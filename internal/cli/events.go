package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// eventsCommand is `orbit events`.
type eventsCommand struct {
	ID     string `arg:"" name:"run" help:"Id of the run."`
	Follow bool   `short:"f" help:"Go on as more happens, until the run has ended."`
}

// Help is the long help.
func (*eventsCommand) Help() string {
	return "Shows when the run was accepted, started and ended, every item that failed or is tried again, and whether the deadline was missed. With -o json, one JSON object a line."
}

// Run prints the events.
func (c *eventsCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	p := &eventPrinter{app: a}
	if c.Follow {
		return a.followRun(ctx, client, c.ID, p.print, func(after string) iter.Seq2[apiclient.Event, error] { return client.FollowEvents(ctx, c.ID, after) })
	}
	return a.pourPages(client.Events(ctx, c.ID), p.print, "nothing has happened yet")
}

// eventPrinter writes events: for people as lines whose columns only ever grow, else as they are.
type eventPrinter struct {
	app  *app
	wide int // of what events are about, so far
}

// kindHues are the colours of kinds of events: SGR codes.
var kindHues = map[orbit.EventKind]string{orbit.EventRetrying: "33", orbit.EventFailed: "31", orbit.EventDeadline: "31", orbit.EventCancelled: "35"}

func (p *eventPrinter) print(raw json.RawMessage) error {
	if p.app.json() {
		return p.app.print("%s", raw)
	}
	ev, err := decode[orbit.RunEvent](raw)
	if err != nil {
		return err
	}
	return p.app.print("%s", p.line(&ev, time.Now()))
}

// line is "12:30:05  item-failed      parse-pdf/0.3  failed for good: the file is encrypted".
func (p *eventPrinter) line(ev *orbit.RunEvent, now time.Time) string {
	about := ev.Item
	if about == "" {
		about = "run"
	}
	if ev.Attempt > 1 {
		about += fmt.Sprintf(" #%d", ev.Attempt)
	}
	p.wide = max(p.wide, len(about))
	kind, hue := fmt.Sprintf("%-15s", ev.Kind), kindHues[ev.Kind]
	if ev.Kind == orbit.EventEnded {
		hue = hues[string(ev.State)]
	}
	if hue != "" && p.app.colorOn(p.app.stdout) {
		kind = paint(hue, kind)
	}
	text := oneLine(ev.Message)
	if ev.Due != nil {
		text += "  next at " + momentText(*ev.Due, now)
	}
	return fmt.Sprintf("%s  %s  %-*s  %s", momentText(ev.Time, now), kind, p.wide, about, text)
}
