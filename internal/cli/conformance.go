package cli

import (
	"context"
	"time"

	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/conformance"
	"github.com/exospherehost/orbit/satellite/custom"
)

// testSatelliteCommand is `orbit satellites test`.
type testSatelliteCommand struct {
	Folder string        `arg:"" help:"A folder with a satellite.yml and examples/NAME.json."`
	Over   []string      `placeholder:"DIR" help:"Folders of satellites of your own that this one is a preset over."`
	Items  int           `default:"1000" help:"How many items the check with many does. Default: ${default}."`
	Limit  time.Duration `placeholder:"DURATION" help:"Limit of one attempt. Default: the satellite's own."`
}

// Help is the long help.
func (*testSatelliteCommand) Help() string {
	return "Runs the satellite here, without a mesh: its examples, the first of them twice, many times and at once, with an input that is large or does not fit, and with a context that ends. " +
		"An example is a file such as {\"config\": {}, \"input\": {\"text\": \"a b\"}, \"output\": [{\"words\": 2}]}, or with \"error\": {\"code\": \"invalid_input\", \"retry\": false} instead of an output.\n\n" +
		"The exit code is 1 where something is wrong."
}

// checkDoc is a check as programs get it.
type checkDoc struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Note  string `json:"note,omitempty"`
}

// Run checks the satellite, and tells each check as it is done.
func (c *testSatelliteCommand) Run(ctx context.Context, a *app) (err error) {
	builtIn, err := catalog.New(catalog.Options{})
	if err != nil {
		return err
	}
	defer builtIn.Close()
	set, err := custom.OpenAll(append(c.Over, c.Folder), builtIn.Registry())
	if err != nil {
		return err
	}
	defer set.Close()
	examples, err := conformance.ReadExamples(c.Folder)
	if err != nil {
		return err
	}
	docs := []checkDoc{}
	tell := func(k conformance.Check) {
		d := checkDoc{Name: k.Name, OK: k.Err == nil, Note: k.Note}
		line := "ok    " + k.Name
		switch {
		case k.Err != nil:
			d.Error = oneLine(k.Err.Error())
			line = "FAIL  " + k.Name + ": " + d.Error
		case k.Note != "":
			line += " (" + k.Note + ")"
		}
		docs = append(docs, d)
		if !a.json() && err == nil {
			err = a.print("%s", line)
		}
	}
	checks := conformance.Run(ctx, set.Satellites[len(set.Satellites)-1], examples, conformance.Options{Items: c.Items, Limit: c.Limit, Report: tell})
	if a.json() {
		err = a.printJSON(docs)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case !conformance.Passed(checks):
		return exit(exitError)
	}
	return nil
}
