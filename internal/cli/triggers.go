package cli

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// triggersCommand is `orbit triggers`.
type triggersCommand struct {
	List   listTriggersCommand  `cmd:"" default:"1" help:"List the triggers of all clusters (the default)."`
	Fire   fireTriggerCommand   `cmd:"" help:"Start a run now, as the trigger would."`
	Pause  pauseTriggerCommand  `cmd:"" help:"Keep a trigger from starting runs."`
	Resume resumeTriggerCommand `cmd:"" help:"Let a paused trigger go on from now."`
}

// Help is the long help.
func (*triggersCommand) Help() string {
	return "A trigger is named project/name/type, such as acme/reports/cron, with a number where a cluster has several of one type; project/name is enough where it has only one. " +
		"The URL of a webhook trigger is shown by -o json: who knows it can start runs."
}

// listTriggersCommand is `orbit triggers list`.
type listTriggersCommand struct{}

// Run lists the triggers.
func (*listTriggersCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	return list(a, client.Triggers(ctx), "TRIGGER WHEN STATE NEXT LAST RUN NOTE", "no triggers yet; `orbit apply FILE` registers a cluster with its triggers",
		func(t orbit.TriggerDoc) []string {
			next := ""
			if len(t.Next) > 0 {
				next = "in " + shortDuration(t.Next[0].Sub(now))
			}
			return []string{t.Name, t.When, t.State, next, shortTime(t.LastAt, now), t.LastRun, triggerNote(t)}
		})
}

// triggerNote is what somebody should know of a trigger.
func triggerNote(t orbit.TriggerDoc) string {
	var notes []string
	if t.Error != "" {
		notes = append(notes, t.Error)
	}
	if t.Waiting > 0 {
		notes = append(notes, one(t.Waiting, "tick")+" waiting for the run to end")
	}
	if t.Skipped > 0 {
		notes = append(notes, one(t.Skipped, "tick")+" skipped while a run went on")
	}
	return strings.Join(notes, "; ")
}

// triggerArg is the argument that names a trigger.
type triggerArg struct {
	Trigger string `arg:"" help:"The trigger: project/name/type, or project/name where the cluster has only one."`
}

// find gives the full name of the trigger.
func (t *triggerArg) find(ctx context.Context, client *apiclient.Client) (string, error) {
	name := strings.TrimPrefix(t.Trigger, "cluster/")
	if strings.Count(name, "/") != 1 {
		if strings.Count(name, "/") != 2 {
			return "", &misuse{"a trigger is named project/name/type, such as acme/reports/cron; `orbit triggers` lists them", "triggers"}
		}
		return name, nil
	}
	var names []string
	for page, err := range client.Triggers(ctx) {
		if err != nil {
			return "", err
		}
		for _, raw := range page {
			doc, err := decode[orbit.TriggerDoc](raw)
			if err != nil {
				return "", err
			}
			if doc.Cluster == name {
				names = append(names, doc.Name)
			}
		}
	}
	switch len(names) {
	case 0:
		return "", failf("there is no cluster %s with triggers; `orbit triggers` lists them", name)
	case 1:
		return names[0], nil
	}
	return "", failf("%s has several triggers; name one: %s", name, strings.Join(names, ", "))
}

// fireTriggerCommand is `orbit triggers fire`.
type fireTriggerCommand struct {
	triggerArg
	Payload string `placeholder:"JSON|@FILE" help:"The trigger's payload, as JSON or as the name of a file of JSON."`
	Wait    bool   `help:"Wait for the end of the run: progress on stderr, on stdout nothing but the leaf outputs, one JSON object a line."`
}

// Run starts the run.
func (c *fireTriggerCommand) Run(ctx context.Context, a *app) error {
	payload, err := a.payload(c.Payload)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	name, err := c.find(ctx, client)
	if err != nil {
		return err
	}
	raw, err := client.Fire(ctx, name, payload)
	if err != nil {
		return err
	}
	run, err := decode[orbit.Run](raw)
	if err != nil {
		return err
	}
	if c.Wait {
		a.say("run %s of %s, version %s", run.ID, run.Cluster, run.Version)
		return a.wait(ctx, client, &run, func() { a.say("interrupted; the run goes on. `%s` shows how it stands", a.command("status", run.ID)) })
	}
	if a.json() {
		return a.printJSON(raw)
	}
	a.say("%s has fired; follow the run with `%s`", name, a.command("status", run.ID))
	return a.print("%s", run.ID)
}

// pauseTriggerCommand is `orbit triggers pause`.
type pauseTriggerCommand struct{ triggerArg }

// Help is the long help.
func (*pauseTriggerCommand) Help() string {
	return "Runs that have begun go on. Ticks, messages and ends that come while a trigger is paused start nothing, then or later."
}

// Run pauses the trigger.
func (c *pauseTriggerCommand) Run(ctx context.Context, a *app) error {
	return c.steer(ctx, a, (*apiclient.Client).PauseTrigger)
}

// resumeTriggerCommand is `orbit triggers resume`.
type resumeTriggerCommand struct{ triggerArg }

// Run lets the trigger go on.
func (c *resumeTriggerCommand) Run(ctx context.Context, a *app) error {
	return c.steer(ctx, a, (*apiclient.Client).ResumeTrigger)
}

func (t *triggerArg) steer(ctx context.Context, a *app, verb func(*apiclient.Client, context.Context, string) (json.RawMessage, error)) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	name, err := t.find(ctx, client)
	if err != nil {
		return err
	}
	raw, err := verb(client, ctx, name)
	if err != nil {
		return err
	}
	return show(a, raw, func(doc orbit.TriggerDoc) error { return a.print("%s is %s", doc.Name, doc.State) })
}
