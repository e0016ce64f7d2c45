package cluster

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// formatVersion is the version of the file format.
const formatVersion = "0.0.1b"

var identifierPattern = regexp.MustCompile(fmt.Sprintf(`^[a-z0-9][a-z0-9_-]{0,%d}$`, maxIdentifier-1))

// read reads the whole grammar. What cannot be read is left out of the result, and has been reported.
func (c *compiler) read(root *yaml.Node) *Spec {
	s := &Spec{Retries: DefaultRetries}
	start := at(root)
	top, ok := c.fields(root, start, "the file", fileKeys)
	if !ok {
		return s
	}
	if v, ok := top.need("version"); ok {
		if s.Version, ok = c.text(v.value, "version"); ok && s.Version.Text != formatVersion {
			c.error(s.Version.Pos, codeVersion, "write version: "+formatVersion, "the version %s is unknown", quoted(s.Version.Text))
		}
	}
	v, ok := top.need("cluster")
	if !ok {
		return s
	}
	f, ok := c.fields(v.value, v.key, "cluster", clusterKeys)
	if !ok {
		return s
	}
	c.readHead(f, s)
	c.readSecrets(f, s)
	if v, ok := f.need("satellites"); ok {
		s.Steps = append(s.Steps, c.readSteps(v, Main)...)
	} else {
		c.untold, c.blindUses = allUntold, true
	}
	if v, ok := f.get("failure"); ok {
		c.readFailure(v, s)
	}
	if v, ok := f.get("logs"); ok {
		if lf, ok := c.fields(v.value, v.key, "logs", logsKeys); ok {
			if l, ok := lf.need("satellites"); ok {
				s.Steps = append(s.Steps, c.readSteps(l, Logs)...)
			}
		} else {
			c.blindUses = true
		}
	}
	return s
}

// readHead reads what a cluster says of itself.
func (c *compiler) readHead(f *fields, s *Spec) {
	if v, ok := f.need("identifier"); ok {
		if s.Identifier, ok = c.text(v.value, "identifier"); ok {
			s.Identifier.Text = strings.TrimPrefix(s.Identifier.Text, "cluster/")
			project, name, _ := strings.Cut(s.Identifier.Text, "/")
			if !identifierPattern.MatchString(project) || !identifierPattern.MatchString(name) {
				c.error(s.Identifier.Pos, codeIdentifier, "write project/name, each of a-z, 0-9, - and _, such as "+suggestIdentifier(s.Identifier.Text, 2),
					"%s is no identifier of a cluster", quoted(s.Identifier.Text))
			}
		}
	}
	if w, ok := f.text("title"); ok {
		s.Title = w.Text
	}
	if w, ok := f.text("description"); ok {
		s.Description = w.Text
	}
	if v, ok := f.need("sla"); ok {
		if d, ok := c.readSLA(v.value); ok {
			s.SLA = d
		}
	}
	if v, ok := f.need("trigger"); ok {
		s.Triggers = c.readTriggers(v)
	}
	if v, ok := f.get("retries"); ok {
		s.Retries, c.retriesKey = c.readRetries(v, DefaultRetries)
		c.retries = s.Retries
	}
}

// readSLA reads how long a run may take.
func (c *compiler) readSLA(n *yaml.Node) (orbit.Duration, bool) {
	d, ok := c.duration(n, "sla")
	if t := time.Duration(d); ok && (t < minSLA || t > maxSLA) {
		c.error(at(n), codeValue, "write 6h, 12h or 24h", "an sla must be from 1m to 168h")
	}
	return d, ok
}

func (c *compiler) readFailure(v field, s *Spec) {
	f, ok := c.fields(v.value, v.key, "failure", failureKeys)
	if !ok {
		c.blindUses = true
		return
	}
	s.FailureFrom, _ = f.text("from")
	if l, ok := f.need("satellites"); ok {
		s.Steps = append(s.Steps, c.readSteps(l, Failure)...)
	}
}

// duration reads "6h".
func (c *compiler) duration(n *yaml.Node, what string) (orbit.Duration, bool) {
	w, ok := c.text(n, what)
	if !ok {
		return 0, false
	}
	var d orbit.Duration
	if err := d.UnmarshalText([]byte(w.Text)); err != nil || d < 0 {
		c.error(w.Pos, codeAmount, timeHint, "%s is no duration: %s", what, quoted(w.Text))
		return 0, false
	}
	return d, true
}

var notIdentifier = regexp.MustCompile(`[^a-z0-9_-]+`)

// suggestIdentifier makes a valid identifier of the given number of parts out of one that is not.
func suggestIdentifier(s string, parts int) string {
	out := make([]string, 0, parts)
	for _, p := range strings.SplitN(strings.ToLower(s), "/", parts) {
		p = strings.Trim(notIdentifier.ReplaceAllString(p, "-"), "-_")
		if p == "" {
			p = "name"
		}
		out = append(out, p[:min(len(p), maxIdentifier)])
	}
	for len(out) < parts {
		out = append([]string{"project"}, out...)
	}
	return strings.Join(out, "/")
}
