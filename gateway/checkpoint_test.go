package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// openJoins is a run with so many open joins, folded up to a sequence.
func openJoins(n int, folded uint64) *openRun {
	t := &cluster.Tally{Round: 1, Outstanding: n, Steps: map[string]*cluster.StepTally{"j": {Born: n}}, Joins: map[string]map[orbit.Lineage]*cluster.JoinTally{"j": {}}}
	for i := range n {
		t.Joins["j"][orbit.RootLineage.Child(i)] = &cluster.JoinTally{Pending: 2, Succeeded: i}
	}
	doc := &kv.Run{Plan: "p"}
	doc.ID, doc.Round = orbit.HashID("run"), 1
	return &openRun{doc: doc, tally: t, folded: folded, reason: "why", limits: map[string]*stepLimit{"j": {Released: 3, Seq: 7, Queue: []heldItem{{Lineage: "0.1", Parent: doc.ID}}}}}
}

// savedBlobs names the blobs of a run.
func (b *bench) savedBlobs(run string) (names []string) {
	b.Helper()
	err := streams.ReadAll(b.Context(), b.conn, kv.BlobsStream, kv.BlobSubjects, 1, func(m streams.Stored) error {
		if name, of := kv.BlobName(m.Subject); of == run {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return names
}

func TestCheckpointOfARunComesBackHoweverLongItIs(t *testing.T) {
	for _, n := range []int{3, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				s, created := b.g.settlers[0], time.Now()
				or := openJoins(n, 50)
				base := checkpointDoc{Created: created, Epoch: 5}
				for folded := uint64(50); folded < 53; folded++ { // one in the place of the one before
					or.folded = folded
					or.tally.Outstanding++
					if err := s.saveRun(b.Context(), or, or.checkpointOf(base)); err != nil {
						b.Fatal(err)
					}
				}
				if names := b.savedBlobs(or.doc.ID); len(names) != min(n/1000, 1) {
					b.Errorf("the blobs of the run are %v", names)
				}
				back := &openRun{doc: or.doc, tally: &cluster.Tally{}}
				if ok, err := s.restore(b.Context(), back, created, 60); err != nil || !ok {
					b.Fatalf("restored: %v, %v", ok, err)
				}
				if diff := cmp.Diff(or.tally, back.tally); diff != "" || back.folded != 52 || back.saved != 52 || back.reason != "why" {
					b.Errorf("folded up to %d, reason %q, tally (-saved +restored):\n%s", back.folded, back.reason, diff)
				}
				if l := back.limits["j"]; l == nil || l.Released != 3 || l.Seq != 7 || !slices.Equal(l.Queue, or.limits["j"].Queue) {
					b.Errorf("the limit came back as %+v", l)
				}
				for what, stranger := range map[string]func(o *openRun) (time.Time, uint64){
					"of another stream": func(*openRun) (time.Time, uint64) { return created.Add(1), 60 },
					"past the ledger":   func(*openRun) (time.Time, uint64) { return created, 51 },
					"of another round":  func(o *openRun) (time.Time, uint64) { o.doc.Round = 2; return created, 60 },
					"of another plan":   func(o *openRun) (time.Time, uint64) { o.doc.Plan = "q"; return created, 60 },
				} {
					doc := *or.doc
					other := &openRun{doc: &doc}
					of, last := stranger(other)
					if ok, err := s.restore(b.Context(), other, of, last); ok || err != nil {
						b.Errorf("a checkpoint %s was taken: %v", what, err)
					}
				}
				s.forgetCheckpoint(b.Context(), or.doc.ID, back.checkpoint)
				if names := b.savedBlobs(or.doc.ID); len(names) > 0 {
					b.Errorf("blobs %v are left", names)
				}
				if ok, err := s.restore(b.Context(), back, created, 60); ok || err != nil {
					b.Errorf("it is there after it was forgotten: %v", err)
				}
			})
		})
	}
}

func TestStaleLeaderPutsNoOlderCheckpointInThePlaceOfANewer(t *testing.T) {
	inBubble(t, func(b *bench) {
		s, created := b.g.settlers[0], time.Now()
		old, later := openJoins(2, 50), openJoins(2, 50)
		save := func(or *openRun, folded, epoch uint64) error {
			or.folded = folded
			return s.saveRun(b.Context(), or, or.checkpointOf(checkpointDoc{Created: created, Epoch: epoch}))
		}
		for _, step := range []struct {
			or            *openRun
			folded, epoch uint64
			want          error
		}{{old, 10, 1, nil}, {later, 20, 2, nil}, {old, 15, 1, errStale}, {later, 30, 2, nil}, {old, 16, 1, errStale}} {
			if err := save(step.or, step.folded, step.epoch); !errors.Is(err, step.want) {
				b.Fatalf("saving %d of epoch %d: %v, want %v", step.folded, step.epoch, err, step.want)
			}
		}
		back := &openRun{doc: old.doc}
		if ok, err := s.restore(b.Context(), back, created, 60); !ok || err != nil || back.folded != 30 {
			b.Errorf("restored %v up to %d: %v; want 30", ok, back.folded, err)
		}
	})
}

func TestDamagedCheckpointIsThrownAway(t *testing.T) {
	inBubble(t, func(b *bench) {
		s := b.g.settlers[0]
		or := openJoins(1, 5)
		name, err := b.g.store.Blobs.Of(or.doc.ID).Put(b.Context(), []byte(strings.Repeat("no checkpoint", 9)))
		if err == nil {
			_, err = s.checkpoints().Put(b.Context(), runCheckpoint(or.doc.ID), &checkpointDoc{Round: 1, Plan: "p", Blob: name})
		}
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := s.restore(b.Context(), or, time.Time{}, 60); ok || err != nil {
			b.Errorf("taken: %v, %v", ok, err)
		}
	})
}
