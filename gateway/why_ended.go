package gateway

import (
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
)

// whyEnded tells that nothing of a run that has ended waits, and what `orbit retry` would do. failed is the number of items that
// failed for good.
func whyEnded(doc *kv.Run, failed int) orbit.WhyReason {
	r := orbit.WhyReason{Code: orbit.WhyEnded, Reason: fmt.Sprintf("run %s has ended as %s", doc.ID, doc.State)}
	if doc.State == orbit.RunCancelled {
		r.Reason = fmt.Sprintf("run %s was cancelled", doc.ID)
	}
	if doc.FinishedAt != nil {
		r.Reason += " at " + doc.FinishedAt.UTC().Format(time.RFC3339)
	}
	if doc.Error != "" {
		r.Reason += ": " + doc.Error
	}
	switch err := retriable(doc); {
	case doc.State == orbit.RunSucceeded:
		r.Hint = fmt.Sprintf("`orbit outputs %s` prints what it returned", doc.ID)
	case err != nil:
		r.Hint = asProblem(err).Detail
	default:
		r.Hint = fmt.Sprintf("`orbit retry %s` does the %s that failed again, with all that follows from them; what succeeded stays", doc.ID, plural(failed, "item"))
	}
	return r
}

// failedOf counts the items of a run's main part that its document says have failed.
func failedOf(doc *kv.Run) (n int) {
	for _, s := range doc.Satellites {
		if s.Part == string(cluster.Main) {
			n += s.Items.Of(orbit.ItemFailed)
		}
	}
	return n
}

// ended tells of an item, or of a satellite, of a run that has ended without it.
func (w *whyTeller) ended(satellite string, item *string) orbit.WhyReason {
	r := whyEnded(w.doc, failedOf(w.doc))
	r.Satellite, r.Item = satellite, item
	return r
}

// result tells what became of the item that is asked for.
func (w *whyTeller) result(item string) orbit.WhyReason {
	rec, res := w.settled.rec, w.settled.res
	r := orbit.WhyReason{Satellite: rec.Step, Item: &item, Code: orbit.WhyEnded,
		Reason: fmt.Sprintf("has %s on node %s at %s", res.State, rec.Node, rec.FinishedAt().Format(time.RFC3339))}
	step, _ := w.plan.Step(rec.Step)
	switch err := retriable(w.doc); {
	case res.State == orbit.ItemSkipped:
		r.Reason = fmt.Sprintf("was skipped at %s, as its condition says", rec.FinishedAt().Format(time.RFC3339))
		r.Hint = fmt.Sprintf("`orbit items %s --satellite %s --state skipped` shows what it was given", w.doc.ID, rec.Step)
	case res.State != orbit.ItemFailed:
		r.Hint = fmt.Sprintf("`orbit outputs %s --satellite %s` prints what its satellite returned", w.doc.ID, rec.Step)
	case step == nil || step.Part != cluster.Main:
		r.Hint = "items of failure and log steps are not done again"
	case res.Error != nil && res.Error.Code == orbit.CodeJoin:
		r.Hint = fmt.Sprintf("it unites items that failed; `orbit retry %s` does those again, and then this one", w.doc.ID)
	case !w.doc.State.Terminal():
		r.Hint = fmt.Sprintf("when the run has ended, `orbit retry %s --item %s` does it again", w.doc.ID, item)
	case err != nil:
		r.Hint = asProblem(err).Detail
	default:
		r.Hint = fmt.Sprintf("`orbit retry %s --item %s` does it again, with all that follows from it", w.doc.ID, item)
	}
	if res.Error != nil {
		r.Reason += ": " + res.Error.Message
	}
	return r
}
