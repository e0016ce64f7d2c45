package main

import (
	"context"
	"fmt"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// recount reads every record of a run whose root made so many items, each of which passes once through all other steps, and gives
// the number of records. An item that has no result, two, or one that is no success, is an error, and so is a document that
// counts otherwise. It keeps a bit an item.
func (m *mesh) recount(ctx context.Context, run *orbit.Run, items int) (records int, err error) {
	seen := map[string]*bitmap{}
	for _, s := range run.Satellites {
		seen[s.Identifier] = newBitmap(items)
	}
	err = streams.ReadAll(ctx, m.conn, streams.StreamName(0), streams.RecordsOf(0, run.ID), 1, func(s streams.Stored) error {
		records++
		rec, err := orbit.DecodeRecord(s.Data)
		if err != nil {
			return err
		}
		return recountOne(rec, seen)
	})
	if err != nil {
		return records, err
	}
	return records, m.checkFan(ctx, run, items, 0)
}

// recountOne notes the results of one record.
func recountOne(rec *orbit.Record, seen map[string]*bitmap) error {
	if rec.Step == "root" {
		return nil
	}
	of := seen[rec.Step]
	if of == nil {
		return fmt.Errorf("the record of bundle %s is of a step %q that the run has not", rec.Bundle, rec.Step)
	}
	for _, r := range rec.Results {
		item := orbit.ItemID(rec.Step, r.Lineage)
		if r.State == orbit.ItemRetrying {
			continue // it comes again
		}
		if r.State != orbit.ItemSucceeded {
			return fmt.Errorf("item %s is %s: %v", item, r.State, r.Error)
		}
		if n, err := r.Lineage.Prefix(2).Last(); err != nil || !of.add(n) {
			return fmt.Errorf("item %s has two results, or should have none", item)
		}
	}
	return nil
}
