package orbittest

import (
	"fmt"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// batch takes a cut of the run's log: it begins where the one before ends, no item of a log step is open, and each first log
// step gets it.
func (c *recount) batch(rec *orbit.Record) {
	m, err := rec.LogMarker()
	n, after := len(c.cuts)+1, uint64(0)
	if n > 1 {
		after = c.cuts[n-2].To
	}
	if err != nil || rec.Bundle != fmt.Sprintf("~logs-%d", n) || m.Batch != n || m.After != after {
		c.fault("the cut %s of its log: %v, batch %d from %d to %d; batch %d from %d was due", rec.Bundle, err, m.Batch, m.After, m.To, n, after)
		return
	}
	for item := range c.born {
		s, ok := c.plan.Step(stepOf(item))
		if open := c.settled[item] == ""; ok && open && (s.Part == cluster.Logs || m.Last) {
			c.fault("batch %d of its log (the last: %v) was cut while %s was open", n, m.Last, item)
		}
	}
	if c.cut {
		c.fault("batch %d of its log comes after the last one", n)
	}
	c.cuts, c.cut = append(c.cuts, m), m.Last
	l := orbit.Lineage(fmt.Sprint(n - 1))
	for i := range c.plan.Steps {
		if s := &c.plan.Steps[i]; s.Part == cluster.Logs && len(s.Parents) == 0 {
			c.name(orbit.LogBundleID(s.Identifier, c.run, l), named{s.Identifier, c.run, []orbit.Lineage{l}})
			c.born[orbit.ItemID(s.Identifier, l)] = true
		}
	}
}

// checkLog looks for records of the log that were there when everything but the log steps had ended, and that are in no cut.
// A cut begins where the one before ends, so no record is in two.
func (c *recount) checkLog(log []streams.Stored) {
	logs := false
	for i := range c.plan.Steps {
		logs = logs || c.plan.Steps[i].Part == cluster.Logs
	}
	if logs != c.cut {
		c.fault("it has log steps: %v; they had their last batch: %v", logs, c.cut)
	}
	if !logs || len(c.cuts) == 0 {
		return
	}
	to := c.cuts[len(c.cuts)-1].To
	for _, m := range log {
		if !strings.HasSuffix(m.Subject, "."+c.run) || m.Seq <= to || m.Time.After(c.quiet) {
			continue
		}
		if b, err := orbit.DecodeLogBatch(m.Data); err != nil {
			c.fault("message %d of its log: %v", m.Seq, err)
		} else if s, ok := c.plan.Step(b.Satellite); !ok || s.Part != cluster.Logs {
			c.fault("message %d of its log, of %s, is in no batch; they go up to %d", m.Seq, b.Satellite, to)
		}
	}
}
