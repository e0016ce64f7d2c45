package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// maxItemOutputs bounds the objects shown with one item; `outputs` streams all of them.
const maxItemOutputs = 100

// getItems lists the items of a run: first those that have ended, in the order of their commits, then those that have
// not. ?satellite= and ?state= narrow it.
func (g *Gateway) getItems(w http.ResponseWriter, r *http.Request) error {
	n, err := limit(r)
	if err != nil {
		return err
	}
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
	q := r.URL.Query()
	l := &itemLister{g: g, ctx: r.Context(), doc: doc, plan: plan, satellite: q.Get("satellite"), state: orbit.ItemState(q.Get("state")), left: n,
		ledger: g.ledger(doc), records: map[string]*cluster.Committed{}}
	if l.satellite != "" {
		if _, ok := plan.Step(l.satellite); !ok {
			return notFound("run %s has no satellite %s", doc.ID, l.satellite)
		}
	}
	if l.state != "" && !slices.Contains(orbit.ItemStates[:], l.state) {
		return badRequest("there is no state %s; the states are waiting, running, retrying, succeeded, failed, skipped and cancelled", l.state)
	}
	if l.round, err = l.ledger.lastRound(r.Context(), plan); err != nil {
		return err
	}
	next, err := l.list(q.Get("cursor"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, newPage(l.out, next))
}

// itemLister gathers one page of items from the ledger. Its cursor is "r<seq>.<n>", the n-th result of the record at a
// sequence, and then "p<n>", the n-th pending item.
type itemLister struct {
	g         *Gateway
	ctx       context.Context
	doc       *kv.Run
	plan      *cluster.Plan
	ledger    *ledger
	satellite string
	state     orbit.ItemState
	left      int
	round     *round
	out       []orbit.ItemDoc
	records   map[string]*cluster.Committed // for the items' inputs
}

var errPageFull = errors.New("the page is full")

func (l *itemLister) list(cursor string) (next string, err error) {
	var seq uint64 = 1
	var skip int
	switch {
	case cursor == "":
	case strings.HasPrefix(cursor, "p"):
		if _, err := fmt.Sscanf(cursor, "p%d", &skip); err != nil || skip < 0 {
			return "", badRequest("cursor=%s is none that this list gave", cursor)
		}
		return l.pending(skip)
	default:
		if _, err := fmt.Sscanf(cursor, "r%d.%d", &seq, &skip); err != nil || skip < 0 {
			return "", badRequest("cursor=%s is none that this list gave", cursor)
		}
	}
	if l.state == "" || l.state.Terminal() && l.state != orbit.ItemCancelled {
		err = l.ledger.each(l.ctx, seq, func(m streams.Stored) error {
			head, err := orbit.DecodeRecordHead(m.Data)
			if err != nil || l.satellite != "" && head.Step != l.satellite || l.state == orbit.ItemFailed && head.Counts.Failed == 0 {
				skip = 0
				return err
			}
			rec, err := orbit.DecodeRecord(m.Data)
			if err != nil {
				return err
			}
			objects := cluster.NewObjects(rec, l.g.blobs(l.ctx))
			first := skip
			skip = 0
			for i := first; i < len(rec.Results); i++ {
				res := &rec.Results[i]
				if res.State == orbit.ItemRetrying || l.state != "" && res.State != l.state {
					continue
				}
				if last, ok := l.round.last[orbit.ItemID(rec.Step, res.Lineage)]; ok && last != m.Seq { // done again since
					continue
				}
				if l.left == 0 {
					next = fmt.Sprintf("r%d.%d", m.Seq, i)
					return errPageFull
				}
				l.left--
				if err := l.settled(rec, objects, i); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, errPageFull) {
			return next, nil
		}
		if err != nil {
			return "", err
		}
	}
	if l.state != "" && l.state.Terminal() && l.state != orbit.ItemCancelled {
		return "", nil
	}
	return l.pending(0)
}

// settled adds the item of one result.
func (l *itemLister) settled(rec *orbit.Record, objects *cluster.Objects, i int) error {
	res := &rec.Results[i]
	started, finished := rec.StartedAt(), rec.FinishedAt()
	doc := orbit.ItemDoc{ID: orbit.ItemID(rec.Step, res.Lineage), Satellite: rec.Step, Lineage: res.Lineage, State: res.State, Attempts: res.Attempt,
		Node: rec.Node, StartedAt: &started, FinishedAt: &finished, Error: res.Error, Outputs: []orbit.Object{}, Usage: res.Usage}
	for k := range min(res.Outputs, maxItemOutputs) {
		o, err := objects.At(i, k)
		if err != nil {
			return err
		}
		doc.Outputs = append(doc.Outputs, o)
	}
	var err error
	if doc.Input, err = l.input(rec.Step, rec.Parent, res.Lineage); err != nil {
		return err
	}
	l.out = append(l.out, doc)
	return nil
}

// input gives what an item got: the object that its parent returned, the trigger's payload, what failed, or for a join the
// lists that it unites, of which the first maxItemOutputs objects each are shown.
func (l *itemLister) input(step, parent string, lineage orbit.Lineage) (orbit.Object, error) {
	s, ok := l.plan.Step(step)
	if !ok {
		return nil, nil
	}
	blobs := l.g.blobs(l.ctx)
	switch {
	case s.Join != nil:
		return l.united(s, lineage, blobs)
	case s.Feeder() == cluster.Payload:
		if l.doc.Payload != nil {
			return l.g.store.Blobs.Get(l.ctx, l.doc.Payload.Blob)
		}
		return l.doc.Trigger.Payload, nil
	case s.Feeder() == cluster.Failed:
		return l.plan.WhatFailed(s, parent, lineage, l.committed)
	}
	o, err := l.plan.Incoming(s, parent, lineage, l.committed, blobs)
	if errors.Is(err, cluster.ErrNotCommitted) { // purged since
		return nil, nil
	}
	return o, err
}

// united gives the lists of a join; null while it waits for some of it.
func (l *itemLister) united(s *cluster.Step, lineage orbit.Lineage, blobs cluster.Blobs) (orbit.Object, error) {
	sees := *s
	sees.Live = nil
	for _, parent := range s.Parents {
		sees.Live = append(sees.Live, cluster.Live{Step: parent, Many: parent != s.Join.Scope})
	}
	lists := make([][]orbit.Object, len(sees.Live))
	err := l.plan.Gather(&sees, l.doc.ID, l.doc.Round, lineage, l.committed, blobs, func(i int, o orbit.Object) error {
		if len(lists[i]) < maxItemOutputs {
			lists[i] = append(lists[i], o)
		}
		return nil
	})
	if errors.Is(err, cluster.ErrNotCommitted) {
		return nil, nil
	}
	in := make(map[string]orbit.Object, len(lists))
	for i, list := range lists {
		in[sees.Live[i].Step] = orbit.NewList(list)
	}
	return orbit.NewMap(in), err
}

// committed reads records, each once.
func (l *itemLister) committed(bundles []string) ([]*cluster.Committed, error) {
	var want []string
	for _, b := range bundles {
		if l.records[b] == nil {
			want = append(want, b)
		}
	}
	found, err := l.ledger.records(l.ctx, want)
	if errors.Is(err, streams.ErrNotFound) {
		return nil, cluster.ErrNotCommitted
	}
	if err != nil {
		return nil, err
	}
	for i, s := range found {
		rec, err := orbit.DecodeRecord(s.Data)
		if err != nil {
			return nil, err
		}
		if l.records[want[i]], err = cluster.NewCommitted(rec, l.g.blobs(l.ctx)); err != nil {
			return nil, err
		}
	}
	out := make([]*cluster.Committed, len(bundles))
	for i, b := range bundles {
		out[i] = l.records[b]
	}
	return out, nil
}
