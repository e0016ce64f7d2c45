package orbit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RetryStep stands for a step in the records that begin a round of a run; it cannot be an identifier.
const RetryStep = "~retry"

// RetryMarker says in the ledger that a run goes on with its next round, in which items that failed are done again: all of
// them, those of one satellite, or a single one. Which these are follows from the records before it.
type RetryMarker struct {
	Round     int    // that begins, from 2
	Satellite string // identifier; empty: any
	Item      string // id; empty: any
}

// Record is the marker as it lies in the ledger. Its bundle is "~retry-<round>", so that a round begins once.
func (m RetryMarker) Record(run, gateway string, now time.Time) *Record {
	return markerRecord(RetryStep, m.Round, run, gateway, now, map[string]any{"round": m.Round, "satellite": m.Satellite, "item": m.Item})
}

// markerRecord is the n-th marker of a kind in a run's ledger. Its bundle is "<kind>-<n>", so that there is one.
func markerRecord(kind string, n int, run, gateway string, now time.Time, content map[string]any) *Record {
	return &Record{Bundle: kind + "-" + strconv.Itoa(n), Run: run, Step: kind, Parent: run, Node: gateway, Started: now.UnixMilli(), Finished: now.UnixMilli(),
		Outputs: Payload{Inline: AppendOutput(nil, MustObject(content))}}
}

// content is what a marker says.
func (rec *Record) content() (map[string]any, error) {
	o, _, _, ok := NextOutput(rec.Outputs.Inline)
	if !ok {
		return nil, fmt.Errorf("%w: a marker without a content", ErrFrame)
	}
	v, err := o.Value()
	if err != nil {
		return nil, fmt.Errorf("%w: a marker with a damaged content", ErrFrame)
	}
	fields, _ := v.(map[string]any)
	return fields, nil
}

// Marker reads the marker of a record whose step is RetryStep.
func (rec *Record) Marker() (m RetryMarker, err error) {
	fields, err := rec.content()
	if err != nil {
		return m, err
	}
	m.Round, _ = fields["round"].(int)
	m.Satellite, _ = fields["satellite"].(string)
	m.Item, _ = fields["item"].(string)
	if m.Round < 2 {
		return m, fmt.Errorf("%w: a marker of round %d", ErrFrame, m.Round)
	}
	return m, nil
}

// Matches tells whether the marker means an item.
func (m RetryMarker) Matches(step string, l Lineage) bool {
	return (m.Satellite == "" || m.Satellite == step) && (m.Item == "" || m.Item == ItemID(step, l))
}

// ParseItemID takes an item's name apart.
func ParseItemID(id string) (step string, l Lineage, ok bool) {
	step, rest, ok := strings.Cut(id, "/")
	return step, Lineage(rest), ok && step != "" && rest != ""
}
