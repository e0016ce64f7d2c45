package cli

import (
	"fmt"
	"strings"

	"github.com/exospherehost/orbit/cluster"
)

// mermaid draws a plan as a Mermaid flowchart, without a line break at its end. What runs once per object has a double
// frame, and so a fan-out is seen; a join is a hexagon with thick arrows into it.
func mermaid(p *cluster.Plan) string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	number := map[string]int{} // identifiers may be words that Mermaid keeps for itself, such as end
	for i := range p.Steps {
		number[p.Steps[i].Identifier] = i
	}
	for _, part := range []cluster.Part{cluster.Main, cluster.Failure, cluster.Logs} {
		mermaidPart(&b, p, part)
	}
	for i := range p.Steps {
		for _, parent := range p.Steps[i].Parents {
			arrow := "-->|each object|"
			if p.Steps[i].Join != nil {
				arrow = "==>|all objects|"
			}
			fmt.Fprintf(&b, "  s%d %s s%d\n", number[parent], arrow, i)
		}
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Part == cluster.Failure && len(s.Parents) == 0 {
			from := "main"
			if p.FailureFrom != "" {
				from = fmt.Sprintf("s%d", number[p.FailureFrom])
			}
			fmt.Fprintf(&b, "  %s -.->|on failure| s%d\n", from, i)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// mermaidPart draws the steps of one part inside a frame; nothing where it has none.
func mermaidPart(b *strings.Builder, p *cluster.Plan, part cluster.Part) {
	title := map[cluster.Part]string{cluster.Main: p.Identifier, cluster.Failure: "failure steps", cluster.Logs: "log steps"}[part]
	open := false
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Part != part {
			continue
		}
		if !open {
			open = true
			fmt.Fprintf(b, "  subgraph %s[\"%s\"]\n", part, mermaidText(title))
		}
		left, right := "[", "]"
		switch {
		case s.Join != nil:
			left, right = "{{", "}}"
		case len(s.Parents) > 0:
			left, right = "[[", "]]"
		}
		lines := []string{mermaidText(s.Identifier), "<small>" + mermaidText(s.Uses) + "</small>"}
		if s.Join != nil {
			lines = append(lines, "<small>"+mermaidText(joinText(s.Join))+"</small>")
		}
		fmt.Fprintf(b, "    s%d%s\"%s\"%s\n", i, left, strings.Join(lines, "<br/>"), right)
	}
	if open {
		b.WriteString("  end\n")
	}
}

// mermaidText makes text safe inside a quoted label.
func mermaidText(s string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;").Replace(oneLine(s))
}
