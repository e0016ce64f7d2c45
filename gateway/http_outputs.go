package gateway

import (
	"bufio"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// getOutputs streams the objects of a run's leaves, or of one satellite, as JSON lines, in the order of their commits.
func (g *Gateway) getOutputs(w http.ResponseWriter, r *http.Request) error {
	doc, err := g.runOfPath(r)
	if err != nil {
		return err
	}
	if doc.Forgotten {
		return forgotten(doc)
	}
	plan, err := g.plans.get(r.Context(), doc.Plan)
	if err != nil {
		return err
	}
	want := map[string]bool{}
	if name := r.URL.Query().Get("satellite"); name != "" {
		if _, ok := plan.Step(name); !ok {
			return notFound("run %s has no satellite %s", doc.ID, name)
		}
		want[name] = true
	} else {
		for i := range plan.Steps {
			if plan.Steps[i].Leaf() {
				want[plan.Steps[i].Identifier] = true
			}
		}
	}
	w.Header().Set("Content-Type", jsonLines)
	out := bufio.NewWriterSize(w, 64<<10)
	err = g.ledger(doc).each(r.Context(), 1, func(m streams.Stored) error {
		head, err := orbit.DecodeRecordHead(m.Data)
		if err != nil || !want[head.Step] || head.Counts.Succeeded == 0 {
			return err
		}
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return err
		}
		return cluster.EachOutput(rec, g.blobs(r.Context()), func(_, _ int, o orbit.Object) error {
			line, err := o.MarshalJSON()
			if err != nil {
				return err
			}
			_, _ = out.Write(line) // an error stays in the writer and comes out of Flush
			return out.WriteByte('\n')
		})
	})
	if err != nil {
		g.log.Warn().Err(err).Str("run", doc.ID).Msg("outputs broken off")
		panic(http.ErrAbortHandler) // so that the caller sees a broken answer rather than a short one
	}
	if err := out.Flush(); err != nil {
		return nil // the caller is gone
	}
	return nil
}
