package gateway

import (
	"fmt"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// modelStates are those of a model that is not ready, from the one that promises most.
var modelStates = []orbit.ModelState{orbit.ModelStarting, orbit.ModelStopped, orbit.ModelStopping, orbit.ModelFailed}

// unready gives the node on which a step's model is nearest to being ready, where no node has it ready.
func (w *whyTeller) unready(s *cluster.Step) (node string, m orbit.ModelDoc, ok bool) {
	_, hosting := w.able(s)
	nearest := len(modelStates)
	for _, n := range hosting {
		at := slices.IndexFunc(n.Models, func(m orbit.ModelDoc) bool { return orbit.ModelPool(m.Name) == s.Pool })
		if at < 0 { // an older node
			return "", m, false
		}
		near := slices.Index(modelStates, n.Models[at].State)
		switch {
		case near < 0: // it is ready
			return "", m, false
		case near < nearest:
			node, m, nearest = n.Name, n.Models[at], near
		}
	}
	return node, m, nearest < len(modelStates)
}

// model tells why no node has a step's model ready.
func (w *whyTeller) model(s *cluster.Step) (reason, hint string) {
	node, m, _ := w.unready(s)
	since := ""
	if m.Since != nil {
		since = fmt.Sprintf(" since %s, for %s", m.Since.UTC().Format(time.RFC3339), short(w.now.Sub(*m.Since)))
	}
	log := "what its server writes is in the folder models of the node's data folder"
	switch {
	case m.State == orbit.ModelStarting:
		return fmt.Sprintf("the model %s is being started on node %s%s", m.Name, node, since), log
	case m.State == orbit.ModelFailed:
		return fmt.Sprintf("the model %s failed to start on node %s: %s", m.Name, node, m.Error), "the node tries again by itself, ever more rarely; " + log
	case m.State == orbit.ModelStopping:
		return fmt.Sprintf("the model %s is being stopped on node %s, for another is more urgent", m.Name, node), "it comes again in its turn; another GPU with the model makes that sooner"
	case m.Error != "":
		return fmt.Sprintf("the model %s is not started on node %s: %s", m.Name, node, m.Error), "`orbit nodes` shows the models; another GPU with the model makes its turn sooner"
	}
	return fmt.Sprintf("the model %s is about to be started on node %s", m.Name, node), "look again in some seconds; " + log
}
