package cli

import (
	"context"
	"slices"

	"github.com/exospherehost/orbit/cluster"
)

// lintCommand is `orbit lint`.
type lintCommand struct {
	Files []string `arg:"" name:"file" help:"Cluster files; - is stdin."`
	ownSatellites
	Watch bool `help:"Go on until Ctrl-C, and check a file again whenever it has changed."`
}

// Help is the long help.
func (*lintCommand) Help() string {
	return "All that is wrong with a file is told at once, in file order, with its line and what to try. Nothing is sent anywhere.\n\n" +
		"The exit code is 1 where there are errors, and 0 with warnings alone. `orbit explain CODE` says more of a code."
}

// Run compiles the files. Diagnostics are its data.
func (c *lintCommand) Run(ctx context.Context, a *app) error {
	if c.Watch && slices.Contains(c.Files, "-") {
		return &misuse{"stdin cannot be watched; name a file", "lint"}
	}
	compiler, err := a.newCompiler(&c.ownSatellites)
	if err != nil {
		return err
	}
	if c.Watch {
		return a.watch(ctx, compiler, c.Files)
	}
	all := []cluster.Diagnostic{} // not nil: a clean file gives [] in JSON
	failed, clean := false, 0
	for _, name := range c.Files {
		f, err := a.compile(compiler, name)
		if err != nil { // the other files are checked all the same
			a.say("orbit: %s", a.sentence(err))
			failed = true
			continue
		}
		all = append(all, f.Diagnostics...)
		failed = failed || f.Plan == nil
		if len(f.Diagnostics) == 0 {
			clean++
		}
	}
	switch {
	case a.json():
		err = a.printJSON(all)
	case len(all) > 0:
		cluster.Render(a.stdout, all, a.colorOn(a.stdout))
		a.say("%s in %s", tally(all), one(len(c.Files), "file"))
	case clean > 0:
		a.say("%s, nothing wrong", one(clean, "file"))
	}
	if err == nil && failed {
		err = exit(exitError)
	}
	return err
}
