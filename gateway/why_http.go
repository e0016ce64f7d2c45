package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// getWhy tells what a run waits for: by satellite, or with ?item= for one item. The name of a satellite alone narrows it to that.
func (g *Gateway) getWhy(w http.ResponseWriter, r *http.Request) error {
	doc, err := g.runOfPath(r)
	if err != nil {
		return err
	}
	why, err := g.why(r.Context(), doc, r.URL.Query().Get("item"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, why)
}

func (g *Gateway) why(ctx context.Context, doc *kv.Run, item string) (*orbit.Why, error) {
	out := &orbit.Why{Run: doc.ID, State: doc.State}
	if doc.State.Terminal() && item == "" {
		out.Reasons = []orbit.WhyReason{whyEnded(doc, failedOf(doc))}
		return out, nil
	}
	if doc.Forgotten {
		return nil, forgotten(doc)
	}
	plan, err := g.plans.get(ctx, doc.Plan)
	if err != nil {
		return nil, err
	}
	satellite := ""
	if item != "" && !strings.Contains(item, "/") {
		if _, ok := plan.Step(item); !ok {
			return nil, notFound("run %s has no satellite %s; an item is written like parse-pdf/0.17", doc.ID, item)
		}
		satellite, item = item, ""
	}
	w, err := g.newWhyTeller(ctx, doc, plan, item)
	if err != nil {
		return nil, err
	}
	switch {
	case item != "":
		one, err := w.one(item)
		out.Reasons = []orbit.WhyReason{one}
		return out, err
	case doc.State.Terminal():
		out.Reasons = []orbit.WhyReason{w.ended(satellite, nil)}
		return out, nil
	}
	if out.Reasons, err = w.summary(satellite); err != nil || len(out.Reasons) > 0 {
		return out, err
	}
	out.Reasons = []orbit.WhyReason{{Satellite: satellite, Code: orbit.WhyEnded, Reason: "all its items have ended; the run ends in a moment",
		Hint: fmt.Sprintf("`orbit status %s` shows how it stands", doc.ID)}}
	if satellite != "" {
		out.Reasons[0].Reason = "nothing of it is open"
	}
	return out, nil
}
