package cli

import (
	"context"
	"io"
	"strings"

	"github.com/exospherehost/orbit/internal/apiclient"
)

// outputsCommand is `orbit outputs`.
type outputsCommand struct {
	ID        string `arg:"" name:"run" help:"Id of the run."`
	Satellite string `placeholder:"ID" help:"What this satellite of the cluster has returned. Without it: the leaf outputs, those of the satellites without children."`
}

// Help is the long help.
func (*outputsCommand) Help() string {
	return "Objects are printed one a line as JSON, in no fixed order. A run that is still going on has those that are committed."
}

// Run streams the outputs.
func (c *outputsCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	body, err := client.Outputs(ctx, c.ID, c.Satellite)
	if err != nil {
		return err
	}
	defer body.Close()
	return a.pour(body, c.ID)
}

// pour copies outputs to stdout as they come.
func (a *app) pour(body io.Reader, run string) error {
	_, err := io.Copy(a.stdout, body)
	if apiclient.Passing(err) {
		return failf("the connection to the gateway broke before all outputs were read; get them with `%s`", a.command("outputs", run))
	}
	return err
}

// command is a command line to tell the user of: with the gateway where one was named.
func (a *app) command(words ...string) string {
	if a.Gateway != "" {
		words = append(words, "--gateway", a.Gateway)
	}
	return "orbit " + strings.Join(words, " ")
}
