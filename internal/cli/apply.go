package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// applyCommand is `orbit apply`.
type applyCommand struct {
	Files []string `arg:"" name:"file" help:"Cluster files; - is stdin."`
}

// Help is the long help.
func (*applyCommand) Help() string {
	return "A cluster is registered under the identifier in its file; a file that says something new makes a new version, and runs under way keep theirs. " +
		"All files are checked before the first is sent."
}

// Run compiles all files, and then sends them.
func (c *applyCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	files := make([]*compiled, len(c.Files))
	for i, name := range c.Files {
		if files[i], err = a.compileFile(ctx, name, &ownSatellites{}, client); err != nil {
			return err
		}
	}
	for _, f := range files {
		applied, raw, err := a.apply(ctx, client, f)
		if err != nil {
			return err
		}
		switch {
		case a.json():
			err = a.printJSON(raw)
		case applied.Created:
			err = a.print("%s registered, version %s", applied.Identifier, applied.Version)
		default:
			err = a.print("%s unchanged, version %s", applied.Identifier, applied.Version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apply registers a file that compiled. Its diagnostics are told once: the gateway's where it refuses the file, else
// those found here.
func (a *app) apply(ctx context.Context, client *apiclient.Client, f *compiled) (*apiclient.Applied, json.RawMessage, error) {
	applied, raw, err := client.Apply(ctx, f.Plan.Identifier, f.text)
	var problem *orbit.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusUnprocessableEntity {
		if ds := diagnosticsOf(problem, f); len(ds) > 0 {
			a.diagnose(ds)
			a.say("orbit: the gateway refuses %s: %s", f.Plan.Identifier, oneLine(problem.Error()))
			return nil, nil, exit(exitError)
		}
	}
	if err == nil {
		a.diagnose(merged(f, applied))
	}
	return applied, raw, err
}

// merged gives what was found here and what the gateway alone can tell, such as that its vault lacks a secret.
func merged(f *compiled, applied *apiclient.Applied) []cluster.Diagnostic {
	var theirs []cluster.Diagnostic
	if json.Unmarshal(applied.Diagnostics, &theirs) != nil {
		return f.Diagnostics
	}
	all := slices.Clone(f.Diagnostics)
	for _, d := range theirs {
		if !slices.ContainsFunc(f.Diagnostics, func(o cluster.Diagnostic) bool { return o.Code == d.Code && o.Line == d.Line && o.Column == d.Column }) {
			d.File = f.file
			ds := []cluster.Diagnostic{d}
			cluster.Attach(ds, f.text)
			all = append(all, ds...)
		}
	}
	slices.SortStableFunc(all, func(a, b cluster.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return all
}

// diagnosticsOf reads the diagnostics of a refusal, and gives them the file's name and lines.
func diagnosticsOf(problem *orbit.Problem, f *compiled) []cluster.Diagnostic {
	raw, err := json.Marshal(problem.Diagnostics)
	if err != nil {
		return nil
	}
	var ds []cluster.Diagnostic
	if json.Unmarshal(raw, &ds) != nil {
		return nil
	}
	for i := range ds {
		ds[i].File = f.file
	}
	cluster.Attach(ds, f.text)
	return ds
}
