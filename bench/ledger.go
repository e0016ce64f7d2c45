package main

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// ledger is what the records of a run say, read one by one: the truth that a gateway's counts must agree with.
type ledger struct {
	records map[string]int // by step
	items   map[string]int // succeeded, by step
	again   int            // items that are to be tried again
}

// readLedger reads the records of a run.
func readLedger(ctx context.Context, nc *nats.Conn, run string) (*ledger, error) {
	l := &ledger{records: map[string]int{}, items: map[string]int{}}
	err := streams.ReadAll(ctx, nc, streams.StreamName(0), streams.RecordsOf(0, run), 1, func(m streams.Stored) error {
		rec, err := orbit.DecodeRecordHead(m.Data)
		if err != nil {
			return err
		}
		l.records[rec.Step]++
		l.items[rec.Step] += rec.Counts.Succeeded
		l.again += rec.Counts.Retry
		return nil
	})
	return l, err
}

// bundles is the number of records, that of the root left out.
func (l *ledger) bundles() int {
	n := -l.records["root"]
	for _, r := range l.records {
		n += r
	}
	return n
}

// check compares a run's records and document with what must be: so many items of each step, each succeeded. Where items fail
// first, what they come to in the end is counted.
func (m *mesh) check(ctx context.Context, run *orbit.Run, want func(step string) int) error {
	l, err := readLedger(ctx, m.conn, run.ID)
	if err != nil {
		return err
	}
	for _, s := range run.Satellites {
		want := want(s.Identifier)
		if got := l.items[s.Identifier]; got != want {
			return fmt.Errorf("the records of run %s hold %d succeeded items of %s; there must be %d", run.ID, got, s.Identifier, want)
		}
		if got := s.Items.Of(orbit.ItemSucceeded); got != want {
			return fmt.Errorf("the document of run %s counts %d succeeded items of %s; there must be %d", run.ID, got, s.Identifier, want)
		}
	}
	return nil
}

// checkFan checks a run whose root makes items that pass through all other steps, in so many bundles; 0: in any number.
func (m *mesh) checkFan(ctx context.Context, run *orbit.Run, items, bundles int) error {
	err := m.check(ctx, run, func(step string) int {
		if step == "root" {
			return 1
		}
		return items
	})
	if err != nil || bundles == 0 {
		return err
	}
	l, err := readLedger(ctx, m.conn, run.ID)
	if err != nil {
		return err
	}
	if got := l.bundles(); got != bundles {
		return fmt.Errorf("run %s has %d bundles; there must be %d", run.ID, got, bundles)
	}
	return nil
}
