package gateway

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
)

// An execution of a satellite that is called alone is a run of a plan with one step, which no cluster has: it has all that
// a run has, and its id is the run's.

// maxExecutionOutput bounds what an execution shows of its output, in bytes: as much as a request may bring. `outputs` of its
// run streams all of it.
const maxExecutionOutput = maxBody

// CallRequest asks for a satellite to be run alone.
type CallRequest struct {
	Satellite string // project/name
	Body      []byte // {input, config, sla} as JSON
	Key       string // idempotency key; "": none
}

// call accepts an execution and gets it going. The same key with the same request gives the execution that is there.
func (g *Gateway) call(ctx context.Context, r CallRequest) (doc *kv.Run, repeated bool, err error) {
	in, err := cluster.ReadCall(r.Body)
	if err != nil {
		return nil, false, badRequest("the body is not JSON of the form {\"input\": …, \"config\": {…}, \"sla\": \"24h\"}: %s", err)
	}
	name := g.called(r.Satellite)
	var same sameness
	if r.Key != "" { // as launch does it: even if the satellite is not known any more
		same = sameness{orbit.HashID("key", name, r.Key), in.Request()}
		if there, err := g.sameRun(ctx, same); !errors.Is(err, kv.ErrNotFound) {
			return there, true, err
		}
	}
	if err := g.full(); err != nil {
		return nil, false, err
	}
	spec, err := g.satelliteNamed(ctx, r.Satellite)
	if err != nil {
		return nil, false, err
	}
	c := in.Compile(spec, g.compiler)
	if c.Plan == nil {
		p := invalid("the call of %s has %s", spec.Name, plural(len(c.Diagnostics), "error"))
		p.Diagnostics = c.Diagnostics
		return nil, false, p
	}
	if err := g.ensureQueues(ctx, c.Plan); err != nil {
		return nil, false, err
	}
	// Dying after this leaves a plan that nothing refers to. It holds nothing of this execution alone: the next call with
	// the same config finds it.
	if err := g.plans.put(ctx, c.Plan); err != nil {
		return nil, false, err
	}
	if err := g.opts.Faults.Point(ctx, "call.planned"); err != nil {
		return nil, false, err
	}
	doc, err = g.accept(ctx, LaunchRequest{Cluster: name, Payload: c.Payload, Secrets: c.Secrets, Trigger: "api-call"}, c.Plan, same)
	return doc, false, err
}

// called is the identifier under which executions of a satellite are known, whichever of its names is used.
func (g *Gateway) called(name string) string {
	if spec, ok := g.opts.Registry.Lookup(name); ok {
		name = spec.Name
	}
	return cluster.CallIdentifier(name)
}

// satelliteNamed finds a satellite, built in or registered.
func (g *Gateway) satelliteNamed(ctx context.Context, name string) (*satellite.Spec, error) {
	if spec, ok := g.opts.Registry.Lookup(name); ok {
		return spec, nil
	}
	project, short, _ := strings.Cut(name, "/")
	if projectPattern.MatchString(project) && projectPattern.MatchString(short) { // else it is none, and no key either
		doc, _, err := g.store.Satellites.Get(ctx, kv.ClusterKey(name))
		if err == nil {
			return &doc.SatelliteSpec, nil
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return nil, err
		}
	}
	known, err := g.knownSatellites(ctx)
	if err != nil {
		return nil, err
	}
	return nil, notFound("there is no satellite %.130s; %s", name, cluster.NearSatellite(name, known.Names()))
}

// execution is an execution as the API shows it. fresh: it was accepted just now, so there is nothing to look for.
func (g *Gateway) execution(ctx context.Context, doc *kv.Run, fresh bool) (*orbit.Execution, error) {
	light := *doc
	light.Payload = nil // it is not shown
	run, err := g.view(ctx, &light)
	if err != nil {
		return nil, err
	}
	x := &orbit.Execution{ID: run.ID, SLA: run.SLA, Status: run.State, CreatedAt: run.CreatedAt, UpdatedAt: run.CreatedAt}
	if run.StartedAt != nil {
		x.UpdatedAt = latest(x.UpdatedAt, *run.StartedAt)
	}
	ended := run.State.Terminal()
	if fresh && !ended {
		return x, nil
	}
	if ended && run.FinishedAt != nil {
		x.UpdatedAt = *run.FinishedAt
	}
	if run.State == orbit.RunFailed {
		x.Error = &run.Error
	}
	if doc.Forgotten {
		x.Hint = asProblem(forgotten(doc)).Detail
		return x, nil
	}
	a, err := g.attempts(ctx, doc)
	if err != nil {
		return nil, err
	}
	x.Retries = max(0, a.made-1)
	if !ended {
		x.UpdatedAt = latest(x.UpdatedAt, a.at)
		return x, nil
	}
	if run.State != orbit.RunSucceeded {
		return x, nil
	}
	if x.Output, err = a.output(g.blobs(ctx)); errors.Is(err, errLongOutput) {
		x.Hint, err = fmt.Sprintf("the output has more than %d MiB and is not shown here; GET /v1/runs/%s/outputs streams it, as does `orbit outputs %s`", maxExecutionOutput>>20, doc.ID, doc.ID), nil
	}
	return x, err
}

// attempts is what the ledger of an execution tells of its only item.
type attempts struct {
	made   int           // all that count, of every round
	at     time.Time     // when the last of them ended
	record *orbit.Record // of the last of them; nil: none has ended yet
}

func (g *Gateway) attempts(ctx context.Context, doc *kv.Run) (*attempts, error) {
	satellite, _ := cluster.CalledBy(doc.Cluster)
	step, a := path.Base(satellite), &attempts{}
	err := g.ledger(doc).each(ctx, 1, func(m streams.Stored) error {
		head, err := orbit.DecodeRecordHead(m.Data)
		if err != nil || head.Step != step {
			return err
		}
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil || len(rec.Results) == 0 {
			return err
		}
		a.made += len(rec.Results)
		a.record, a.at = rec, rec.FinishedAt()
		return nil
	})
	return a, err
}

var errLongOutput = errors.New("the output is too long to be shown")

// output gives the objects that the satellite returned.
func (a *attempts) output(blobs cluster.Blobs) ([]orbit.Object, error) {
	objects, size := []orbit.Object{}, 0
	if a.record == nil {
		return objects, nil
	}
	err := cluster.EachOutput(a.record, blobs, func(_, _ int, o orbit.Object) error {
		if size += len(o); size > maxExecutionOutput {
			return errLongOutput
		}
		objects = append(objects, slices.Clone(o))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return objects, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
