package orbit

import (
	"fmt"
	"strconv"
	"time"
)

// LogsStep stands for a step in the records that cut the batches of a run's log; it cannot be an identifier.
const LogsStep = "~logs"

// LogMarker says in the ledger which part of a run's log the first log steps get next: what lies in the log stream after one
// sequence, up to another. Where a batch ends follows from nothing that is stored, so it is decided once, here. The next one
// begins where it ends.
type LogMarker struct {
	Batch     int    // from 1, through all rounds of the run
	After, To uint64 // sequences of the log stream; the same: there was nothing new
	Last      bool   // of this round: everything but the log steps has ended
}

// Record is the marker as it lies in the ledger. Its bundle is "~logs-<batch>", so that a batch is cut once.
func (m LogMarker) Record(run, gateway string, now time.Time) *Record {
	return markerRecord(LogsStep, m.Batch, run, gateway, now, map[string]any{"batch": m.Batch, "after": int(m.After), "to": int(m.To), "last": m.Last})
}

// Lineage is that of the items which the batch becomes.
func (m LogMarker) Lineage() Lineage { return Lineage(strconv.Itoa(m.Batch - 1)) }

// LogMarkerID is the bundle under which the marker of a batch lies.
func LogMarkerID(batch int) string { return LogsStep + "-" + strconv.Itoa(batch) }

// LogBundleID is the id of the bundle that holds a batch, the only item of that lineage, of a first log step.
func LogBundleID(step, run string, l Lineage) string { return HashID(step, run, "logs", string(l)) }

// LogMarker reads the marker of a record whose step is LogsStep.
func (rec *Record) LogMarker() (m LogMarker, err error) {
	fields, err := rec.content()
	if err != nil {
		return m, err
	}
	after, _ := fields["after"].(int)
	to, _ := fields["to"].(int)
	m.Batch, _ = fields["batch"].(int)
	m.Last, _ = fields["last"].(bool)
	if m.Batch < 1 || after < 0 || to < after {
		return m, fmt.Errorf("%w: a marker of batch %d, from %d to %d", ErrFrame, m.Batch, after, to)
	}
	m.After, m.To = uint64(after), uint64(to)
	return m, nil
}
