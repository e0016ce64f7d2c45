package cli

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit/cluster"
)

// explainCommand is `orbit explain`.
type explainCommand struct {
	Code string `arg:"" optional:"" help:"The code, such as ORB-C012 or c012. Without one, all codes are listed."`
}

// Help is the long help.
func (*explainCommand) Help() string {
	return "Says what a code of `orbit lint` means and why it is told, with an example that fails and the same put right. Of the example only the " +
		"lines that matter are shown; -o json has the whole files."
}

// Run explains one code, or lists all of them.
func (c *explainCommand) Run(_ context.Context, a *app) error {
	if c.Code == "" {
		return a.listCodes()
	}
	e, ok := cluster.Explain(fullCode(c.Code))
	switch {
	case !ok:
		return failf("there is no code %q; %s`orbit explain` lists all of them", c.Code, nearCode(c.Code))
	case a.json():
		return a.printJSON(e)
	}
	compiler, err := a.newCompiler(&ownSatellites{})
	if err != nil {
		return err
	}
	columns, _ := windowSize(a.stdout)
	m := &manual{width: min(columns, 100), color: a.colorOn(a.stdout)}
	_, err = a.stdout.Write(m.explanation(&e, compiler))
	return err
}

func (a *app) listCodes() error {
	if a.json() {
		return a.printJSON(cluster.Explanations())
	}
	t := a.newTable("CODE TITLE")
	for _, e := range cluster.Explanations() {
		t.add(e.Code, e.Title)
	}
	return t.flush()
}

// fullCode gives the usual spelling of a code: c012 is ORB-C012.
func fullCode(code string) string {
	return "ORB-" + strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(code)), "ORB-")
}

var codeNumber = regexp.MustCompile(`^ORB-C?0*([0-9]{1,6})$`)

// nearCode is a clause that names the code with the nearest number; empty where there is no number.
func nearCode(code string) string {
	m := codeNumber.FindStringSubmatch(fullCode(code))
	if m == nil {
		return ""
	}
	wanted, _ := strconv.Atoi(m[1])
	best, distance := "", 0
	for _, e := range cluster.Explanations() {
		n, _ := strconv.Atoi(strings.TrimPrefix(e.Code, "ORB-C"))
		if d := max(n-wanted, wanted-n); best == "" || d < distance {
			best, distance = e.Code, d
		}
	}
	return "the nearest is " + best + "; "
}

// explanation gives the page of one code.
func (m *manual) explanation(e *cluster.Explanation, c *compiler) []byte {
	m.head(e.Code)
	m.wrap("  ", e.Title)
	m.head("WHAT")
	m.wrap("  ", e.Text)
	m.head("WHY")
	m.wrap("  ", e.Why)
	fails, mended := e.Excerpts()
	m.head("FAILS")
	m.b.WriteString(fails)
	m.head("WHAT ORBIT LINT SAYS")
	m.b.WriteString(e.Told("cluster.yml", c.options, m.color))
	m.head("MENDED")
	m.b.WriteString(mended)
	return m.b.Bytes()
}
