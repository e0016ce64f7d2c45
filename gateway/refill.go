package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// refill makes the streams of a partition agree after a restore, which wrote them down at different moments. Nobody works on
// them yet. What belongs to runs that were accepted after the documents were written down is purged: that no document
// is there proves it here, and only here, since nobody accepts runs now. Then every bundle of an open run that its ledger implies, that
// has no record and waits nowhere goes into its queue. Retries and ends are left to the leader, which folds anew. It gives the
// number of open runs, and of bundles.
func (g *Gateway) refill(ctx context.Context, p int) (runs, bundles int, err error) {
	open, known := map[string]*kv.Run{}, map[string]bool{}
	b := g.store.Runs
	err = streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		id := b.Key(m.Subject)
		if len(m.Data) == 0 || streams.Partition(id, g.topology.Partitions) != p {
			return nil
		}
		doc, err := decodeRun(m.Data)
		if err != nil {
			return err
		}
		known[id] = true
		if !doc.State.Terminal() {
			open[id] = doc
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	queued, strange := map[string]bool{}, map[string]bool{}
	for _, stream := range []string{streams.StreamName(p), streams.LaterStream} {
		err := streams.ReadAll(ctx, g.opts.Conn, stream, ">", 1, func(m streams.Stored) error {
			kind, run := ofSubject(m.Subject, p)
			if run == "" {
				return nil
			}
			if !known[run] {
				strange[run] = true
			}
			if open[run] == nil || kind == "record" || kind == "dead" {
				return nil
			}
			if b, err := orbit.DecodeBundle(m.Data); err == nil {
				queued[b.ID] = true
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	for _, run := range slices.Sorted(maps.Keys(strange)) {
		records := streams.Filter{Stream: streams.StreamName(p), Subject: streams.RecordsOf(p, run)}
		for _, f := range append(streams.OfRun(p, run), records) {
			if err := streams.Purge(ctx, g.js, f.Stream, f.Subject); err != nil {
				return 0, 0, err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(open)) {
		n, err := g.refillRun(ctx, p, open[id], queued)
		if err != nil {
			return 0, 0, fmt.Errorf("run %s: %w", id, err)
		}
		bundles += n
	}
	return len(open), bundles, nil
}

// refillRun goes through the records of a run and publishes the bundles that they name, that have no record and wait nowhere.
// Joins, retries and what is held come from the leader, which folds anew.
func (g *Gateway) refillRun(ctx context.Context, p int, doc *kv.Run, queued map[string]bool) (n int, err error) {
	plan, err := g.plans.get(ctx, doc.Plan)
	if err != nil {
		return 0, fmt.Errorf("read its plan: %w", err)
	}
	recorded := map[string]bool{}
	records := func(f func(streams.Stored) error) error {
		return streams.ReadAll(ctx, g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, doc.ID), 1, f)
	}
	err = records(func(m streams.Stored) error {
		head, err := orbit.DecodeRecordHead(m.Data)
		if err == nil {
			recorded[head.Bundle] = true
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	batch, now := g.pub.NewBatch(), time.Now()
	publish := func(s *cluster.Step, b *orbit.Bundle) error {
		if recorded[b.ID] || queued[b.ID] {
			return nil
		}
		n++
		return batch.Publish(ctx, streams.WorkMessage(streams.QueueFor(s.Class, s.Pool, b, now), p, b, "~restore"))
	}
	for _, s := range plan.Roots() {
		if err == nil {
			err = publish(s, g.rootBundle(doc, s))
		}
	}
	if err == nil {
		err = records(func(m streams.Stored) error {
			rec, err := orbit.DecodeRecord(m.Data)
			if err != nil || rec.Step == orbit.RetryStep {
				return err
			}
			return g.eachBare(ctx, plan, doc, rec, false, func(_ int, h cluster.BareBundle) error { return publish(h.Step, &h.Bundle) })
		})
	}
	if werr := batch.Wait(ctx); err == nil {
		err = werr
	}
	return n, err
}

// ofSubject reads kind and run off a subject of a partition; "": it is of another.
func ofSubject(subject string, p int) (kind, run string) {
	t := strings.Split(subject, ".")
	at := 2
	if len(t) == 7 && t[1] == "work" {
		at = 5
	}
	if len(t) < at+2 || t[at] != fmt.Sprint(p) {
		return "", ""
	}
	return t[1], t[at+1]
}
