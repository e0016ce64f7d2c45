package cli

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// runCommand is `orbit run`.
type runCommand struct {
	Target         string `arg:"" name:"file|identifier" help:"A cluster file, which is applied first, or the identifier of a registered cluster: project/name."`
	Wait           bool   `help:"Wait for the end of the run: progress on stderr, on stdout nothing but the leaf outputs, one JSON object a line."`
	Local          bool   `help:"Run the file on a private mesh in this process, and keep nothing. Implies --wait; no gateway is asked."`
	Payload        string `placeholder:"JSON|@FILE" help:"The trigger's payload, as JSON or as the name of a file of JSON."`
	SecretsFile    string `placeholder:"FILE" help:"Values of the secrets that the cluster declares, as lines NAME=value. They come before those in the cluster file and in the environment."`
	IdempotencyKey string `placeholder:"KEY" help:"Calls with the same key start one run, however often they are made."`
	ownSatellites
}

// Help is the long help.
func (*runCommand) Help() string {
	return "The run starts now, whatever trigger the cluster has. Its id is printed on stdout; with --wait on stderr.\n\n" +
		"With --wait the exit code is 0 when the run has succeeded, 3 when it is failed or partial, 4 when it was cancelled, and 130 after Ctrl-C, which ends the waiting and not the run. " +
		"With --local Ctrl-C drains the run and ends it."
}

// start is what a run is started from.
type start struct {
	apiclient.Start
	identifier string
	file       *compiled // nil: the cluster is registered already
}

// Run starts the run, and waits for it where that is asked for.
func (c *runCommand) Run(ctx context.Context, a *app) error {
	var client *apiclient.Client
	if !c.Local {
		var err error
		if client, err = a.client(); err != nil {
			return err
		}
		defer client.Close()
	}
	s, err := c.prepare(ctx, a, client)
	if err != nil {
		return err
	}
	if c.Local {
		return a.runLocally(ctx, s, &c.ownSatellites)
	}
	raw, run, err := a.launch(ctx, client, s)
	if err != nil {
		return err
	}
	if c.Wait {
		a.say("run %s of %s, version %s", run.ID, run.Cluster, run.Version)
		return a.wait(ctx, client, run, func() {
			a.say("interrupted; the run goes on. `%s` shows how it stands, `%s` gives its outputs, `%s` ends it",
				a.command("status", run.ID), a.command("outputs", run.ID), a.command("cancel", run.ID))
		})
	}
	if a.json() {
		return a.printJSON(raw)
	}
	a.say("%s has started; follow it with `%s`", run.Cluster, a.command("status", run.ID))
	return a.print("%s", run.ID)
}

// prepare reads and judges all that the user gave, before anything is sent.
func (c *runCommand) prepare(ctx context.Context, a *app, client *apiclient.Client) (s start, err error) {
	s.Key = c.IdempotencyKey
	if s.Payload, err = a.payload(c.Payload); err != nil {
		return s, err
	}
	var values map[string]string
	if c.SecretsFile != "" {
		if values, err = a.readDotenv(c.SecretsFile); err != nil {
			return s, err
		}
	}
	if isFile(c.Target) {
		if s.file, err = a.compileFile(ctx, c.Target, &c.ownSatellites, client); err != nil {
			return s, err
		}
		s.identifier = s.file.Plan.Identifier
		s.Secrets = secretValues(s.file.Plan.Secrets, values, a.env)
		return s, nil
	}
	if c.Local {
		return s, &misuse{"--local runs a file: a private mesh knows no registered cluster, and " + c.Target + " is no file", "run"}
	}
	s.Secrets = values // the gateway knows which of them the cluster declares
	if s.identifier, err = clusterName(c.Target); err != nil {
		return s, failf("%q is neither a file that exists nor an identifier of a cluster such as project/name", c.Target)
	}
	return s, nil
}

// launch registers the file, where there is one, and starts the run.
func (a *app) launch(ctx context.Context, client *apiclient.Client, s start) (json.RawMessage, *orbit.Run, error) {
	if s.file != nil {
		if _, _, err := a.apply(ctx, client, s.file); err != nil {
			return nil, nil, err
		}
	}
	raw, err := client.Start(ctx, s.identifier, s.Start)
	if err != nil {
		if ctx.Err() != nil {
			a.say("interrupted before the gateway had answered; `%s` shows whether the run has started", a.command("runs", s.identifier))
			return nil, nil, exit(exitInterrupted)
		}
		return nil, nil, err
	}
	run, err := decode[*orbit.Run](raw)
	return raw, run, err
}

// runLocally carries a run out on a mesh of its own, from start to end.
func (a *app) runLocally(ctx context.Context, s start, own *ownSatellites) error {
	models, _, err := own.models(a)
	if err != nil {
		return err
	}
	mesh, err := a.startMesh(ctx, MeshOptions{Nodes: 1, Satellites: own.Satellites, Models: models, Quiet: true, Log: a.stderr})
	if err != nil {
		return err
	}
	defer stop(ctx, mesh)
	client, err := apiclient.New(apiclient.Options{URL: mesh.URL(), Token: mesh.Token(), Transport: a.deps.Transport})
	if err != nil {
		return err
	}
	defer client.Close()
	_, run, err := a.launch(ctx, client, s)
	if err != nil {
		return err
	}
	a.say("run %s of %s, on a private mesh", run.ID, run.Cluster)
	return a.wait(ctx, client, run, func() {
		a.say("interrupted; the run is drained and ends here, and nothing of it is kept. Once more Ctrl-C quits at once")
	})
}

// isFile tells whether what the user named is a cluster file rather than a registered cluster.
func isFile(target string) bool {
	if target == "-" || strings.HasSuffix(target, ".yml") || strings.HasSuffix(target, ".yaml") {
		return true
	}
	_, err := os.Stat(target)
	return err == nil
}

// payload gives the trigger's payload: JSON as it was typed, or that of a file; nil where there is none.
func (a *app) payload(arg string) (json.RawMessage, error) {
	if arg == "" {
		return nil, nil
	}
	text, where := []byte(arg), "--payload"
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		var err error
		if text, err = a.read(name); err != nil {
			return nil, err
		}
		where = name
	}
	if _, err := orbit.ParseObject(text); err != nil {
		return nil, &misuse{where + ` is no JSON (` + oneLine(err.Error()) + `); write it like '{"month": 3}', or @FILE`, "run"}
	}
	return text, nil
}
