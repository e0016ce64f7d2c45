package cli

import (
	"context"
	"encoding/json"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// steer sends a verb for a run to the gateway and says how the run stands.
func (a *app) steer(verb func(*apiclient.Client) (json.RawMessage, error), say string) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := verb(client)
	if err != nil {
		return err
	}
	return show(a, raw, func(r orbit.Run) error { return a.print(say, r.ID, r.State) })
}

// cancelCommand is `orbit cancel`.
type cancelCommand struct {
	ID string `arg:"" name:"run" help:"Id of the run."`
}

// Help is the long help.
func (*cancelCommand) Help() string {
	return "Items that have not ended are given up; what has been committed stays and can be looked at."
}

// Run cancels a run.
func (c *cancelCommand) Run(ctx context.Context, a *app) error {
	return a.steer(func(client *apiclient.Client) (json.RawMessage, error) { return client.Cancel(ctx, c.ID) }, "%s is %s")
}

// pauseCommand is `orbit pause`.
type pauseCommand struct {
	ID string `arg:"" name:"run" help:"Id of the run."`
}

// Help is the long help.
func (*pauseCommand) Help() string {
	return "Nothing of the run starts any more; what is running now ends as it would. The deadline stays. `orbit resume` lets it go on."
}

// Run pauses a run.
func (c *pauseCommand) Run(ctx context.Context, a *app) error {
	return a.steer(func(client *apiclient.Client) (json.RawMessage, error) { return client.Pause(ctx, c.ID) }, "%s is %s")
}

// resumeCommand is `orbit resume`.
type resumeCommand struct {
	ID string `arg:"" name:"run" help:"Id of the run."`
}

// Run lets a paused run go on.
func (c *resumeCommand) Run(ctx context.Context, a *app) error {
	return a.steer(func(client *apiclient.Client) (json.RawMessage, error) { return client.Resume(ctx, c.ID) }, "%s is %s")
}

// retryCommand is `orbit retry`.
type retryCommand struct {
	ID        string `arg:"" name:"run" help:"Id of the run."`
	Satellite string `placeholder:"ID" help:"Only what failed of this satellite."`
	Item      string `placeholder:"ITEM" help:"Only this item, such as parse-pdf/0.17."`
}

// Help is the long help.
func (*retryCommand) Help() string {
	return "Opens the next round of a run that has ended: items that failed are done again with all that follows from them, and joins that failed because of them. " +
		"What succeeded stays as it is. A run that was cancelled cannot go on."
}

// Run begins the next round of a run.
func (c *retryCommand) Run(ctx context.Context, a *app) error {
	return a.steer(func(client *apiclient.Client) (json.RawMessage, error) {
		return client.Retry(ctx, c.ID, c.Satellite, c.Item)
	},
		"%s is %s again; `orbit status %[1]s` shows how it stands")
}
