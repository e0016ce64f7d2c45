package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// logsCommand is `orbit logs`.
type logsCommand struct {
	ID        string `arg:"" name:"run" help:"Id of the run."`
	Follow    bool   `short:"f" help:"Go on as more is said, until the run has ended."`
	Satellite string `placeholder:"ID" help:"Only what was said about items of this satellite of the cluster."`
	Level     string `placeholder:"LEVEL" help:"Only what is at least this important: debug, info, warn or error."`
}

// Help is the long help.
func (*logsCommand) Help() string {
	return "Shows what satellites wrote while they ran, and what became of items that did not succeed, in the order in which it was stored: that of one item is the order in which it was said. " +
		"#2 after an item's id means its second attempt. With -o json, one JSON object a line."
}

// Run prints the log.
func (c *logsCommand) Run(ctx context.Context, a *app) error {
	q := apiclient.Query{Satellite: c.Satellite, Level: orbit.LogLevel(strings.ToLower(c.Level))}
	if q.Level != "" && !q.Level.Valid() {
		return &misuse{fmt.Sprintf("%q is no level; it is one of debug, info, warn, error", c.Level), "logs"}
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	p := &logPrinter{app: a}
	if c.Follow {
		return a.followRun(ctx, client, c.ID, p.print, func(after string) iter.Seq2[apiclient.Event, error] { return client.FollowLogs(ctx, c.ID, q, after) })
	}
	return a.pourPages(client.Logs(ctx, c.ID, q), p.print, "nothing was said")
}

// pourPages prints a list entry by entry; empty is said on stderr where there is none.
func (a *app) pourPages(pages iter.Seq2[[]json.RawMessage, error], print func(json.RawMessage) error, empty string) error {
	n := 0
	for page, err := range pages {
		if err != nil {
			return err
		}
		for _, raw := range page {
			if err := print(raw); err != nil {
				return err
			}
		}
		n += len(page)
	}
	if n == 0 {
		a.say("%s", empty)
	}
	return nil
}

// followRun prints the entries of a list as they come, until the run has ended. A gateway that goes away is waited for; the
// list goes on after the last entry that came.
func (a *app) followRun(ctx context.Context, client *apiclient.Client, run string, print func(json.RawMessage) error,
	request func(after string) iter.Seq2[apiclient.Event, error]) error {
	if _, err := client.Run(ctx, run, 0); err != nil { // only a gateway that was there is waited for
		return err
	}
	after := ""
	for {
		came := false
		err := a.patiently(ctx, func() {}, func() error {
			for e, err := range request(after) {
				if err != nil {
					return err
				}
				if e.Name == apiclient.EndEvent {
					return nil
				}
				if err := print(e.Data); err != nil {
					return err
				}
				after, came = e.ID, true
			}
			return nil
		})
		if !came || !apiclient.Passing(err) { // else it was back in between, and is waited for anew
			return err
		}
	}
}

// logPrinter writes log records: for people as lines whose columns only ever grow, else as they are.
type logPrinter struct {
	app  *app
	wide int // of the ids of items so far
}

func (p *logPrinter) print(raw json.RawMessage) error {
	if p.app.json() {
		return p.app.print("%s", raw)
	}
	r, err := decode[orbit.LogRecord](raw)
	if err != nil {
		return err
	}
	return p.app.print("%s", p.line(&r, time.Now()))
}

// levelHues are the colours of levels: SGR codes.
var levelHues = map[orbit.LogLevel]string{orbit.LogDebug: "2", orbit.LogWarn: "33", orbit.LogError: "31"}

// line is "12:30:05  warn   parse-pdf/0.3 #2  the document holds no text  file=scan.pdf".
func (p *logPrinter) line(r *orbit.LogRecord, now time.Time) string {
	item := r.Item
	if r.Attempt > 1 {
		item += fmt.Sprintf(" #%d", r.Attempt)
	}
	p.wide = max(p.wide, len(item))
	level, fields := fmt.Sprintf("%-5s", r.Level), fieldText(r.Fields)
	if p.app.colorOn(p.app.stdout) {
		if hue := levelHues[r.Level]; hue != "" {
			level = paint(hue, level)
		}
		if fields != "" {
			fields = paint("2", fields)
		}
	}
	text := oneLine(r.Message)
	if text != "" && fields != "" {
		text += "  "
	}
	return fmt.Sprintf("%s  %s  %-*s  %s%s", momentText(r.Time, now), level, p.wide, item, text, fields)
}

// momentText is a time to the second, in now's time zone: with the day only where it is not today.
func momentText(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// maxFieldText bounds a field in a line for people; -o json has all of it.
const maxFieldText = 120

// fieldText gives fields as "name=value name=value".
func fieldText(raw json.RawMessage) string {
	var parts []string
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for dec.More() { // one by one, in the order in which they come
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			break
		}
		text := string(value)
		var word string
		if json.Unmarshal(value, &word) == nil && text[0] == '"' {
			if text = word; word == "" || strings.ContainsAny(word, ` "=`) {
				text = strconv.Quote(word)
			}
		}
		text = oneLine(text)
		if runes := []rune(text); len(runes) > maxFieldText {
			text = string(runes[:maxFieldText-1]) + "…"
		}
		parts = append(parts, fmt.Sprintf("%s=%s", oneLine(fmt.Sprint(name)), text))
	}
	return strings.Join(parts, " ")
}
