package cli

import (
	"bytes"
	"context"
	"slices"

	"github.com/exospherehost/orbit/cluster"
)

// fmtCommand is `orbit fmt`.
type fmtCommand struct {
	Files []string `arg:"" name:"file" help:"Cluster files; - is stdin, whose canonical form goes to stdout."`
	Check bool     `help:"Change nothing. Name the files that would change, and end with 1 where there are any."`
}

// Help is the long help.
func (*fmtCommand) Help() string {
	return "Writes cluster files in one form: two blanks of indentation, keys in the order of the documentation, comments where they belong. " +
		"No value changes, and so no plan does. The names of the files that changed go to stdout.\n\n" +
		"A file that cannot be read as YAML stays as it is, and what is wrong with it is told; the others are formatted all the same."
}

// Run formats the files. The names of those that changed are its data.
func (c *fmtCommand) Run(_ context.Context, a *app) error {
	if len(c.Files) > 1 && slices.Contains(c.Files, "-") && !c.Check {
		return &misuse{"the form of stdin goes to stdout, where the names of other files would be lost in it; name - alone", "fmt"}
	}
	changed, wrong, failed := []string{}, []cluster.Diagnostic(nil), false
	for _, name := range c.Files {
		change, ds, err := a.format(name, c.Check)
		if err != nil { // the other files are formatted all the same
			a.say("orbit: %s", a.sentence(err))
		}
		failed = failed || err != nil || len(ds) > 0
		wrong = append(wrong, ds...)
		if !change {
			continue
		}
		changed = append(changed, shown(name))
		if !a.json() && (name != "-" || c.Check) {
			if err := a.print("%s", shown(name)); err != nil {
				return err
			}
		}
	}
	a.diagnose(wrong)
	if a.json() && (c.Check || !slices.Contains(c.Files, "-")) {
		if err := a.printJSON(changed); err != nil {
			return err
		}
	}
	if failed || c.Check && len(changed) > 0 {
		return exit(exitError)
	}
	return nil
}

// format formats one file, and tells whether it changes. With check nothing is written.
func (a *app) format(name string, check bool) (bool, []cluster.Diagnostic, error) {
	text, err := a.read(name)
	if err != nil {
		return false, nil, err
	}
	out, ds := cluster.Format(shown(name), text)
	if len(ds) > 0 {
		return false, ds, nil
	}
	change := !bytes.Equal(text, out)
	switch {
	case check:
	case name == "-":
		_, err = a.stdout.Write(out)
	case change:
		err = replace(name, out)
	}
	return change && err == nil, nil, err
}
