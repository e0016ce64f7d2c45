package cluster

import (
	"strings"

	"github.com/exospherehost/orbit"
)

// hardware reports steps that no hardware class fits. Of a satellite that is not known only the class that the file names
// can be judged.
func (c *compiler) hardware(s *Spec) {
	if c.options.Classes == nil {
		return
	}
	for _, step := range s.Steps {
		var base orbit.Resources
		switch {
		case step.Satellite != nil:
			base = step.Satellite.Resources
		case step.Resources.Class == "":
			continue
		}
		if _, err := c.options.Classes(resources(base, step.Resources)); err != nil {
			place := step.Uses.Pos
			if step.resourcesKey != (Pos{}) {
				place = step.resourcesKey
			}
			why, hint, ok := strings.Cut(err.Error(), "; ") // which most often says what to do, too
			if !ok {
				hint = "ask for less, or name a class"
			}
			c.error(place, codeHardware, hint, "no hardware class fits %s: %s", step.Identifier.Text, why)
		}
	}
}
