package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// planCommand is `orbit plan`.
type planCommand struct {
	File string `arg:"" help:"The cluster file; - is stdin."`
	ownSatellites
}

// Help is the long help.
func (*planCommand) Help() string {
	return "Shows each satellite with its parents, the hardware class and pool whose queue its work waits in, and how often it is tried again. " +
		"With -o mermaid the graph is drawn as a Mermaid flowchart, which GitHub and many editors show as a picture."
}

// planDoc is the plan as programs get it.
type planDoc struct {
	Identifier string         `json:"identifier"`
	Version    string         `json:"version"`
	SLA        orbit.Duration `json:"sla"`
	Steps      []stepDoc      `json:"steps"`
}

type stepDoc struct {
	Identifier string       `json:"identifier"`
	Uses       string       `json:"uses"`
	Part       cluster.Part `json:"part"`
	Parents    []string     `json:"parents"`
	Children   []string     `json:"children"`
	Class      string       `json:"class"`
	Pool       string       `json:"pool"`
	Join       *joinDoc     `json:"join"`
	Retries    int          `json:"retries"` // after the first attempt
}

type joinDoc struct {
	Scope    string `json:"scope"`
	Strategy string `json:"strategy"`
}

// Run compiles the file and shows the plan.
func (c *planCommand) Run(ctx context.Context, a *app) error {
	f, err := a.compileFile(ctx, c.File, &c.ownSatellites, nil)
	if err != nil {
		return err
	}
	a.diagnose(f.Diagnostics)
	switch a.Output {
	case "mermaid":
		return a.print("%s", mermaid(f.Plan))
	case "json":
		return a.printJSON(newPlanDoc(f.Plan))
	}
	if err := a.print("%s  version %s  sla %s\n", f.Plan.Identifier, f.Plan.Version(), f.Plan.SLA); err != nil {
		return err
	}
	t := a.newTable("IDENTIFIER USES PART PARENTS CLASS POOL >RETRIES JOIN")
	for i := range f.Plan.Steps {
		s := &f.Plan.Steps[i]
		t.add(s.Identifier, s.Uses, string(s.Part), strings.Join(s.Parents, ", "), s.Class, s.Pool, strconv.Itoa(s.Retries.Max), joinText(s.Join))
	}
	return t.flush()
}

func newPlanDoc(p *cluster.Plan) *planDoc {
	doc := &planDoc{Identifier: p.Identifier, Version: p.Version(), SLA: p.SLA, Steps: []stepDoc{}}
	for i := range p.Steps {
		s := &p.Steps[i]
		d := stepDoc{Identifier: s.Identifier, Uses: s.Uses, Part: s.Part, Class: s.Class, Pool: s.Pool, Retries: s.Retries.Max,
			Parents: append([]string{}, s.Parents...), Children: append([]string{}, s.Children...)} // [] rather than null
		if s.Join != nil {
			d.Join = &joinDoc{s.Join.Scope, s.Join.Strategy}
		}
		doc.Steps = append(doc.Steps, d)
	}
	return doc
}

// joinText says how often a join runs and what it waits for: "per object of get-files, all-done, 95%, counts parse-pdf".
func joinText(j *cluster.Join) string {
	if j == nil {
		return ""
	}
	text := fmt.Sprintf("per object of %s, %s", j.Scope, j.Strategy)
	if j.Scope == "run" {
		text = "once a run, " + j.Strategy
	}
	switch {
	case j.MinPercent > 0:
		text += fmt.Sprintf(", %s%%", strconv.FormatFloat(j.MinPercent, 'f', -1, 64))
	case j.MinCount > 0:
		text += fmt.Sprintf(", at least %d", j.MinCount)
	}
	return text + ", counts " + strings.Join(j.Members, " ")
}
