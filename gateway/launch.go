package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// LaunchRequest asks for a run.
type LaunchRequest struct {
	Cluster string            // project/name
	Payload orbit.Object      // of the trigger; null is fine
	Secrets map[string]string // values of declared secrets for this run
	Key     string            // idempotency key; "": none
	Trigger string            // type of the trigger
	Tick    *tick             // what makes the run the only one of its kind; nil: an api-call
}

// tick is an event of a trigger that makes exactly one run.
type tick struct {
	id string    // of the run
	at time.Time // when it was due
}

// sameness is what makes a request the only one of its kind.
type sameness struct {
	id      string // of the run that it makes; "": of a random one
	request string // a hash of what is asked for, which tells a repetition from another request
}

// launch accepts a run of a cluster and gets it going. The same key with the same request gives the run that is there.
func (g *Gateway) launch(ctx context.Context, r LaunchRequest) (*kv.Run, error) {
	var same sameness
	switch {
	case r.Tick != nil:
		same = sameness{r.Tick.id, orbit.HashID("tick", r.Tick.id)}
	case r.Key != "":
		same = sameness{orbit.HashID("key", r.Cluster, r.Key), orbit.HashID("request", r.Cluster, string(r.Payload))}
	}
	if same.id != "" {
		// Looked for before anything else: a repetition changes nothing of the run that is there, and is answered even if
		// the cluster was deleted since.
		if there, err := g.sameRun(ctx, same); !errors.Is(err, kv.ErrNotFound) {
			return there, err
		}
	}
	if err := g.full(); err != nil {
		return nil, err
	}
	c, err := g.clusters.get(ctx, r.Cluster)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, notFound("there is no cluster %s; `orbit apply` registers one, `orbit clusters` lists them", r.Cluster)
	} else if err != nil {
		return nil, err
	}
	p, err := g.plans.get(ctx, c.Plan)
	if err != nil {
		return nil, fmt.Errorf("read the plan of %s: %w", r.Cluster, err)
	}
	return g.accept(ctx, r, p, same)
}

// accept accepts a run of a stored plan and gets it going. The CAS create of its document is the acceptance: whatever dies
// after it, the run goes on from the document alone.
func (g *Gateway) accept(ctx context.Context, r LaunchRequest, p *cluster.Plan, same sameness) (*kv.Run, error) {
	if err := g.checkSecrets(ctx, p, r.Secrets); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	doc := &kv.Run{Run: orbit.Run{ID: orbit.RandomID(), Cluster: p.Identifier, Version: p.Version(), State: orbit.RunPending, Round: 1, SLA: p.SLA,
		Trigger: orbit.RunTrigger{Type: r.Trigger, At: now, Payload: r.Payload}, CreatedAt: now, Deadline: now.Add(time.Duration(p.SLA))}, Plan: p.Hash()}
	if same.id != "" {
		doc.ID, doc.Request = same.id, same.request
	}
	if r.Tick != nil {
		doc.Trigger.At = r.Tick.at
		doc.Deadline = r.Tick.at.Add(time.Duration(p.SLA))
	}
	// Stored before the acceptance; dying here leaves a blob and sealed values that nothing refers to.
	if len(r.Payload) > orbit.MaxInline {
		name, err := g.store.Blobs.Of(doc.ID).Put(ctx, r.Payload)
		if err != nil {
			return nil, err
		}
		doc.Payload, doc.Trigger.Payload = &orbit.Ref{Blob: name, Length: len(r.Payload)}, nil
	}
	if len(r.Secrets) > 0 {
		if err := g.sealSecrets(ctx, runSecrets(doc.ID), r.Secrets); err != nil {
			return nil, err
		}
		doc.Secrets = true
	}
	if err := g.opts.Faults.Point(ctx, "launch.stored"); err != nil {
		return nil, err
	}
	rev, err := g.createRun(ctx, doc)
	if errors.Is(err, kv.ErrConflict) {
		return g.sameRun(ctx, same)
	} else if err != nil {
		return nil, err
	}
	g.metrics.accepted.Add(1)
	if err := g.opts.Faults.Point(ctx, "launch.created"); err != nil {
		return nil, err
	}
	return g.completeLaunch(ctx, doc, rev, p)
}

// completeLaunch publishes the roots of an accepted run and marks it running. Any gateway may do it, any number of times:
// the roots have the same ids each time, and the mark is a CAS.
func (g *Gateway) completeLaunch(ctx context.Context, doc *kv.Run, rev uint64, p *cluster.Plan) (*kv.Run, error) {
	s := g.settlerOf(doc.ID)
	s.adopt(doc, rev, p)
	s.docs.tell(streams.Told{Seq: rev}) // it is known now, so the leader need not look for it
	if err := g.publishRoots(ctx, doc, p); err != nil {
		return nil, err
	}
	if err := g.opts.Faults.Point(ctx, "launch.published"); err != nil {
		return nil, err
	}
	running := *doc
	now := time.Now().UTC()
	running.State, running.StartedAt = orbit.RunRunning, &now
	if s.marks(&running, rev) {
		return &running, nil
	}
	// Dying before this: the run stays pending with its roots queued; a leader completes it, or it ends first.
	m, err := g.store.Runs.Message(doc.ID, &running, rev)
	if err != nil {
		return nil, err
	}
	ack, err := g.pub.Do(ctx, m)
	switch {
	case errors.Is(err, streams.ErrExists): // ended already, or another gateway was first
		fresh, rev, err := g.store.Runs.Get(ctx, doc.ID)
		if err != nil {
			return nil, err
		}
		s.adopt(fresh, rev, p)
		return fresh, nil
	case err != nil:
		return nil, err
	}
	s.adopt(&running, ack.Seq, p)
	return &running, g.opts.Faults.Point(ctx, "launch.running")
}

// publishRoots puts the root bundles of a run into their queues.
func (g *Gateway) publishRoots(ctx context.Context, doc *kv.Run, p *cluster.Plan) error {
	settler := g.settlerOf(doc.ID)
	batch, later := settler.newBatch(), g.pub.NewBatch()
	now := time.Now()
	for _, s := range p.Roots() {
		b := g.rootBundle(doc, s)
		m := streams.WorkMessage(streams.QueueFor(s.Class, s.Pool, b, now), settler.p, b, "")
		to := batch
		if due := doc.CreatedAt.Add(time.Duration(s.Delay)); due.After(now) {
			m, to = streams.ScheduleMessage(settler.p, b.Run, b.ID, b.Encode(), due), later
		}
		if err := to.Publish(ctx, m); err != nil {
			break
		}
	}
	if err := errors.Join(batch.Wait(ctx), later.Wait(ctx)); err != nil {
		return fmt.Errorf("publish the roots of run %s: %w", doc.ID, err)
	}
	return nil
}

// rootBundle is the bundle of a root's only item.
func (g *Gateway) rootBundle(doc *kv.Run, s *cluster.Step) *orbit.Bundle {
	b := g.bundleOf(doc)
	b.ID, b.Step, b.Parent = orbit.BundleID(s.Identifier, doc.ID, 0), s.Identifier, doc.ID
	b.Items = []orbit.Item{{Lineage: orbit.RootLineage, Value: payloadOf(doc), Live: make([]orbit.Value, len(s.Live))}}
	return &b
}

// payloadOf is the trigger's payload.
func payloadOf(doc *kv.Run) orbit.Value {
	return orbit.Value{Object: doc.Trigger.Payload, Ref: doc.Payload}
}

// bundleOf is what all bundles of a run have in common.
func (g *Gateway) bundleOf(doc *kv.Run) orbit.Bundle {
	return orbit.Bundle{Run: doc.ID, Round: doc.Round, Plan: doc.Plan, Accepted: doc.CreatedAt.UnixMilli(), Deadline: doc.Deadline.UnixMilli(),
		TriggerAt: doc.Trigger.At.UnixMilli(), TriggerType: doc.Trigger.Type}
}

// createRun is the acceptance.
func (g *Gateway) createRun(ctx context.Context, doc *kv.Run) (uint64, error) {
	m, err := g.store.Runs.Message(doc.ID, doc, 0)
	if err != nil {
		return 0, err
	}
	ack, err := g.pub.Do(ctx, m)
	if errors.Is(err, streams.ErrExists) {
		return 0, fmt.Errorf("run %s: %w", doc.ID, kv.ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("accept run %s: %w", doc.ID, err)
	}
	return ack.Seq, nil
}

// sameRun answers a repeated request with the run that is there, and refuses another request with the same key.
func (g *Gateway) sameRun(ctx context.Context, same sameness) (*kv.Run, error) {
	doc, err := g.findRun(ctx, same.id)
	if err != nil {
		return nil, err
	}
	if doc.Request != same.request {
		return nil, conflict("this idempotency key was used for another request, by run %s; use another key, or the same payload", doc.ID)
	}
	return doc, nil
}
