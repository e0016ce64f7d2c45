package cluster

import "github.com/exospherehost/orbit"

// LogTally is how far the log of a run has been cut into batches for its log steps.
type LogTally struct {
	Batches int    `json:"batches"`        // cut so far
	To      uint64 `json:"to"`             // sequence of the log stream up to which they go
	Last    bool   `json:"last,omitempty"` // the last one of this round is among them
}

// Logged tells whether the plan has log steps.
func (p *Plan) Logged() bool { return len(p.wiring().logs) > 0 }

// LogFirsts are the log steps that get the batches of the log.
func (p *Plan) LogFirsts() []*Step { return p.wiring().logs }

// Cut folds the marker of a batch: one item of each first log step is born with it.
func (t *Tally) Cut(p *Plan, m orbit.LogMarker) {
	t.Logs = LogTally{Batches: m.Batch, To: m.To, Last: m.Last}
	for _, s := range p.LogFirsts() {
		t.step(s.Identifier).Born++
		t.Outstanding++
	}
}

// LogsOpen is the number of items of log steps that have not ended.
func (t *Tally) LogsOpen(p *Plan) int {
	n := 0
	for i := range p.Steps {
		if s := t.Steps[p.Steps[i].Identifier]; s != nil && p.Steps[i].Part == Logs {
			n += s.Open()
		}
	}
	return n
}

// Over tells whether nothing of the round is left to be done: every item has ended, and log steps have had their last batch.
func (t *Tally) Over(p *Plan) bool { return t.Outstanding == 0 && (t.Logs.Last || !p.Logged()) }

// Hears tells whether log steps get a message of the log: all but their own.
func (p *Plan) Hears(b *orbit.LogBatch) bool {
	s, ok := p.Step(b.Satellite)
	return !ok || s.Part != Logs
}
