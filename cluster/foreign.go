package cluster

import "strings"

// foreign reports satellites that are the own of another project: what a project brings is for its clusters alone. Without an
// identifier nothing can be said.
func (c *compiler) foreign(s *Spec) {
	project, _, ok := strings.Cut(s.Identifier.Text, "/")
	if !ok {
		return
	}
	for _, step := range s.Steps {
		if step.Satellite == nil {
			continue
		}
		if owner, owned := step.Satellite.Owner(); owned && owner != project {
			c.error(step.Uses.Pos, codeSatellite, "give the cluster an identifier of that project, as "+owner+"/…, or register the satellite for "+shorten(project),
				"the satellite %s is the project %s's own, and this cluster is of the project %s", step.Satellite.Name, owner, quoted(project))
		}
	}
}
