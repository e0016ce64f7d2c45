package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// eventReader tells what happened to a run. Nothing is stored for it: acceptance, start, deadline and end are in the run's
// document, failures and retries of items in its ledger. So events are exactly what was committed, each once, for as long as
// the ledger is there, and telling them costs nothing to who does not ask.
//
//	accepted ─► running ─► the ledger, record by record; the deadline comes before what was committed after it ─► end
type eventReader struct {
	g    *Gateway
	run  string
	from eventPlace // of the next event
}

// eventPlace is a place among the events of a run. Its text is the cursor of the API.
type eventPlace struct {
	stage int // of the constants below
	seq   uint64
	n     int  // result of the record at seq
	late  bool // the deadline has been told
}

// The stages of a run's events.
const (
	stageAccepted = iota
	stageRunning
	stageLedger
	stageOver
)

// String gives the cursor.
func (p eventPlace) String() string {
	late := ""
	if p.late {
		late = "l"
	}
	return fmt.Sprintf("%d.%d.%d%s", p.stage, p.seq, p.n, late)
}

func parseEventPlace(cursor string) (p eventPlace, err error) {
	text, late := strings.CutSuffix(cursor, "l")
	p.late = late
	_, err = fmt.Sscanf(text, "%d.%d.%d", &p.stage, &p.seq, &p.n)
	if err == nil && p.String() != cursor || p.stage < 0 || p.n < 0 {
		err = strconv.ErrSyntax
	}
	return p, err
}

func (g *Gateway) newEventReader(run, cursor string) (*eventReader, error) {
	e := &eventReader{g: g, run: run}
	if cursor == "" {
		return e, nil
	}
	var err error
	if e.from, err = parseEventPlace(cursor); err != nil {
		return nil, badRequest("cursor=%s is none that this list gave", cursor)
	}
	return e, nil
}

// read implements timeline.
func (e *eventReader) read(ctx context.Context, f func(orbit.RunEvent, fmt.Stringer) error) error {
	stored, err := e.g.readRun(ctx, e.run) // before the ledger: what led to its end is there when the end is
	if err != nil {
		return err
	}
	doc := stored.Run
	if live, _, ok := e.g.settlerOf(e.run).tallyOf(e.run); ok && !doc.State.Terminal() { // its document will say so soon
		doc.StartedAt, doc.DeadlineMissed = live.StartedAt, live.DeadlineMissed
	}
	tell := func(ev orbit.RunEvent, next eventPlace) error {
		ev.Time = ev.Time.UTC()
		if err := f(ev, next); err != nil {
			return err
		}
		e.from = next
		return nil
	}
	if e.from.stage == stageAccepted {
		if err := tell(accepted(&doc), eventPlace{stage: stageRunning}); err != nil {
			return err
		}
	}
	if e.from.stage == stageRunning {
		if doc.StartedAt == nil { // a cancelled run may never have been
			if !doc.State.Terminal() {
				return nil
			}
			e.from = eventPlace{stage: stageLedger, seq: 1}
		} else if err := tell(orbit.RunEvent{Time: *doc.StartedAt, Kind: orbit.EventRunning, State: orbit.RunRunning, Message: "its first items are queued"},
			eventPlace{stage: stageLedger, seq: 1}); err != nil {
			return err
		}
	}
	if e.from.stage == stageLedger {
		if err := e.ledger(ctx, stored, tell); err != nil {
			return err
		}
		if !e.from.late && doc.DeadlineMissed {
			if err := tell(deadline(&doc), eventPlace{stageLedger, e.from.seq, e.from.n, true}); err != nil {
				return err
			}
		}
		if doc.State.Terminal() {
			if all, err := e.folded(ctx); err != nil || !all { // a replica lags: the end is told when the rest has been
				return err
			}
			return tell(ended(&doc), eventPlace{stage: stageOver})
		}
	}
	return nil
}

// folded tells whether the reader has told all of the ledger, by the word of the stream's leader.
func (e *eventReader) folded(ctx context.Context) (bool, error) {
	p := streams.Partition(e.run, e.g.topology.Partitions)
	last, err := streams.Last(ctx, e.g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, e.run))
	if errors.Is(err, streams.ErrNotFound) {
		return true, nil
	}
	return last.Seq < e.from.seq, err
}

// ends implements timeline.
func (e *eventReader) ends(context.Context) (bool, error) { return e.from.stage == stageOver, nil }

// ledger tells what the ledger has from the reader's place on.
func (e *eventReader) ledger(ctx context.Context, doc *kv.Run, tell func(orbit.RunEvent, eventPlace) error) error {
	p := streams.Partition(e.run, e.g.topology.Partitions)
	return streams.ReadAll(ctx, e.g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, e.run), e.from.seq, func(m streams.Stored) error {
		after := eventPlace{stageLedger, m.Seq + 1, 0, e.from.late}
		head, err := orbit.DecodeRecordHead(m.Data)
		if err != nil || head.Counts.Failed+head.Counts.Retry == 0 { // what cannot be read is no result of an item
			e.from = after
			return nil
		}
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return err
		}
		due, err := e.dueTimes(ctx, rec)
		if err != nil {
			return err
		}
		first := 0
		if m.Seq == e.from.seq {
			first = e.from.n
		}
		retries := 0
		for i := range rec.Results {
			r := &rec.Results[i]
			ev, ok := e.outcome(rec, r)
			if r.State == orbit.ItemRetrying {
				if at := due[retries]; at > 0 {
					t := time.UnixMilli(at).UTC()
					ev.Due = &t
				}
				retries++
			}
			if !ok || i < first {
				continue
			}
			if !e.from.late && ev.Time.After(doc.Deadline) {
				if err := tell(deadline(&doc.Run), eventPlace{stageLedger, m.Seq, i, true}); err != nil {
					return err
				}
			}
			if err := tell(ev, eventPlace{stageLedger, m.Seq, i + 1, e.from.late}); err != nil {
				return err
			}
		}
		after.late = e.from.late
		e.from = after
		return nil
	})
}

// dueTimes gives the times of the next attempts of a record's retrying results, in Unix milliseconds, by their order.
func (e *eventReader) dueTimes(ctx context.Context, rec *orbit.Record) (map[int]int64, error) {
	if rec.Counts.Retry == 0 {
		return nil, nil
	}
	due := make(map[int]int64, rec.Counts.Retry)
	err := cluster.EachKid(rec, e.g.blobs(ctx), func(k orbit.Kid) error {
		if k.Kind == orbit.KidRetry {
			for i := k.First; i < k.First+min(k.Count, orbit.MaxBundleItems); i++ {
				due[i] = k.Due
			}
		}
		return nil
	})
	return due, err
}

// outcome is the event of an item that did not succeed; not ok for any other.
func (e *eventReader) outcome(rec *orbit.Record, r *orbit.Result) (ev orbit.RunEvent, ok bool) {
	ev = orbit.RunEvent{Time: rec.FinishedAt(), Satellite: rec.Step, Item: orbit.ItemID(rec.Step, r.Lineage), Attempt: r.Attempt, Node: rec.Node, Error: r.Error}
	switch r.State {
	case orbit.ItemFailed:
		ev.Kind, ev.Message = orbit.EventFailed, "failed for good"
	case orbit.ItemRetrying:
		ev.Kind, ev.Message = orbit.EventRetrying, "did not succeed and is tried again"
	default:
		return ev, false
	}
	if r.Error != nil {
		ev.Message += ": " + r.Error.Message
	}
	return ev, true
}

func accepted(doc *orbit.Run) orbit.RunEvent {
	return orbit.RunEvent{Time: doc.CreatedAt, Kind: orbit.EventAccepted, State: orbit.RunPending,
		Message: fmt.Sprintf("%s, version %s, by %s; due %s", doc.Cluster, doc.Version, doc.Trigger.Type, doc.Deadline.UTC().Format(time.RFC3339))}
}

func deadline(doc *orbit.Run) orbit.RunEvent {
	return orbit.RunEvent{Time: doc.Deadline, Kind: orbit.EventDeadline, Message: fmt.Sprintf("its SLA of %s has passed; it goes on", doc.SLA)}
}

// ended is the event of a run's end. A run that was retried tells of its latest.
func ended(doc *orbit.Run) orbit.RunEvent {
	ev := orbit.RunEvent{Time: doc.CreatedAt, Kind: orbit.EventEnded, State: doc.State, Message: string(doc.State)}
	if doc.FinishedAt != nil {
		ev.Time = *doc.FinishedAt
	}
	if doc.State == orbit.RunCancelled {
		ev.Kind = orbit.EventCancelled
		ev.Message = "what had not ended is given up"
	} else if doc.Error != "" {
		ev.Message += ": " + doc.Error
	}
	return ev
}
