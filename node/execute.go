package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// execution is one bundle being run.
type execution struct {
	node    *Node
	log     *book
	bundle  *orbit.Bundle // with what its items see
	came    *orbit.Bundle // as it came
	plan    *plan
	step    *step
	reader  blobReader
	blobs   cluster.Blobs // of reader
	secrets vault.Answer
	mask    *vault.Masker
	scratch *scratch // where results and what spool has in memory lie; nil: in no one's
	spool   spool
	results []orbit.Result
	waits   []time.Duration // of results with an error: how long until they are tried again
	call    *satellite.Call
	quick   bool // the satellite is an Immediate
	plain   bool // and all its items get the same but for what comes in
	started time.Time
}

// errSkip says that an item's `if` does not hold.
var errSkip = errors.New("its condition does not hold")

// prepare brings together what the bundle takes from elsewhere: what its bare items see, and its secrets. An error means that
// it cannot be run here and now. It comes before a start is marked: that a gateway or the ledger is not at hand says
// nothing about the bundle.
func (n *Node) prepare(ctx context.Context, d *streams.Delivery, p *plan, log *book) (*execution, error) {
	b := d.Bundle
	s, ok := p.steps[b.Step]
	if !ok {
		return nil, fmt.Errorf("the plan of run %s has no step %s", b.Run, b.Step)
	}
	e := &execution{node: n, bundle: b, came: b, plan: p, step: s, log: log, reader: blobReader{n: n, ctx: ctx}, scratch: n.newScratch()}
	var blobs blobStore = n.store.Blobs.Of(b.Run)
	if len(s.Children) > 0 {
		blobs = keepingStore{blobs, n}
	}
	e.results, e.spool = e.scratch.results, newSpool(blobs, e.scratch)
	e.blobs = e.reader.read
	if b.Failed != "" {
		return e, nil
	}
	var err error
	if e.bundle, err = n.complete(ctx, b, p); err != nil {
		return nil, err
	}
	if len(s.Secrets) > 0 {
		lease, ok := d.Lease()
		if !ok {
			return nil, fmt.Errorf("the bundle %s came without a lease that this version can read", b.ID)
		}
		o, err := n.secrets.get(ctx, b, lease)
		if err != nil {
			return nil, err
		}
		e.secrets, e.mask = *o.Answer, o.mask
	}
	return e, nil
}

// run carries out every item of the bundle, one after the other. An error means that the bundle as a whole cannot be run
// here and now; what went wrong with an item is in its result.
func (e *execution) run(ctx context.Context) error {
	e.started = time.Now()
	defer e.spool.settle()
	if e.bundle.Failed != "" {
		e.fail(e.bundle.Failed)
		return nil
	}
	for i := range e.bundle.Items {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := e.item(ctx, i); err != nil {
			return err
		}
	}
	e.node.pace.took(e.step.Uses, len(e.bundle.Items), time.Since(e.started))
	return nil
}

// item runs one item and appends its result.
func (e *execution) item(ctx context.Context, i int) error {
	it := &e.bundle.Items[i]
	e.spool.begin()
	used, err := e.attempt(ctx, it)
	if err == nil {
		e.results = append(e.results, orbit.Result{Lineage: it.Lineage, State: orbit.ItemSucceeded, Attempt: it.Attempt + 1, Outputs: e.spool.count(), Usage: used})
		return nil
	}
	e.spool.rollback()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, errSkip) {
		e.results = append(e.results, orbit.Result{Lineage: it.Lineage, State: orbit.ItemSkipped, Attempt: it.Attempt})
		return nil
	}
	var failure *orbit.Error
	if !errors.As(err, &failure) {
		return err // the node's own trouble: blob store, connection. The bundle comes again.
	}
	r := orbit.Result{Lineage: it.Lineage, State: orbit.ItemFailed, Attempt: it.Attempt + 1, Error: failure, Usage: used}
	if failure.Code == orbit.CodeDenied && len(e.step.Secrets) > 0 { // a secret may have been changed since it was asked for
		e.node.secrets.forget(e.bundle.Run, e.bundle.Step)
	}
	wait := time.Duration(0)
	if failure.Retryable && it.Attempt < e.step.Retries.Max {
		in := e.came.Items[i]
		r.State, r.Input = orbit.ItemRetrying, &in
		if wait = failure.After; wait == 0 {
			wait = backoff(e.step.Retries, it.Attempt+1)
		}
	}
	e.node.log.Debug().Str("run", e.bundle.Run).Str("item", orbit.ItemID(e.bundle.Step, it.Lineage)).Int("attempt", r.Attempt).
		Str("state", string(r.State)).Str("err", failure.Message).Msg("item did not succeed")
	e.results = append(e.results, r)
	e.waits = append(e.waits, wait)
	return nil
}

// fail is the result of a join's item that fails because of the join's members.
func (e *execution) fail(why string) {
	for i := range e.bundle.Items {
		it := &e.bundle.Items[i]
		e.results = append(e.results, orbit.Result{Lineage: it.Lineage, State: orbit.ItemFailed, Attempt: it.Attempt, Error: orbit.Permanent(orbit.CodeJoin, "%s", why)})
		e.waits = append(e.waits, 0)
	}
}

// attempt resolves the item's config and input and calls the satellite. It gives what that took, whatever came of it.
func (e *execution) attempt(ctx context.Context, it *orbit.Item) (orbit.Usage, error) {
	call, err := e.ready(ctx, it)
	if err != nil {
		return nil, err
	}
	err = call.Do(ctx)
	return call.Invocation.Used(), err
}

// ready resolves the item's config and input for the call that carries it out.
func (e *execution) ready(ctx context.Context, it *orbit.Item) (*satellite.Call, error) {
	if e.step.code == nil {
		return nil, orbit.Permanent(orbit.CodeNoSatellite, "node %s has no code for satellite %s", e.node.opts.Name, e.step.Uses)
	}
	incoming, err := e.incoming(it)
	if err != nil {
		return nil, err
	}
	call := e.callFor(ctx)
	inv := call.Invocation
	if e.plain { // nothing but these differs from item to item
		inv.Lineage, inv.Attempt, inv.Incoming = it.Lineage, it.Attempt+1, incoming
		return call, nil
	}
	var scope *cluster.Scope // made only for steps with expressions
	if !e.fixed() {
		scope = e.scope(it, incoming)
	}
	if e.step.condition != nil {
		if holds, err := e.step.condition.True(scope); err != nil {
			return nil, e.resolveError(&satellite.Invocation{Step: e.bundle.Step, Lineage: it.Lineage}, "if", err)
		} else if !holds {
			return nil, errSkip
		}
	}
	*inv = satellite.Invocation{Run: e.bundle.Run, Step: e.bundle.Step, Lineage: it.Lineage, Attempt: it.Attempt + 1, Incoming: incoming, HasInput: e.step.Input != nil,
		Log: inv.Log}
	if e.streams() {
		inv.Lists = e.lists(it)
	}
	if inv.Config = e.step.constant; inv.Config == nil {
		v, err := e.step.Config.Resolve(scope)
		if err != nil {
			return nil, e.resolveError(inv, "config", err)
		}
		inv.Config, _ = v.(map[string]any)
		if err := misfit(e.step.config, inv, "config", inv.Config); err != nil {
			return nil, err
		}
	}
	if e.step.Input != nil {
		if inv.Input, err = e.step.Input.Resolve(scope); err != nil {
			return nil, e.resolveError(inv, "input", err)
		}
		if err := misfit(e.step.input, inv, "input", inv.Input); err != nil {
			return nil, err
		}
	} else if !e.quick && !e.streams() {
		if inv.Input, err = incoming.Value(); err != nil {
			return nil, orbit.Permanent(orbit.CodeInternal, "%s: the incoming object is damaged", inv.Item())
		}
	}
	for _, g := range e.step.Grants {
		v, err := g.Secrets.Resolve(scope)
		if err != nil {
			return nil, e.resolveError(inv, "the secrets of "+g.Step, err)
		}
		inv.Grants = append(inv.Grants, textMap(v))
	}
	return call, nil
}

// incoming is the object that made the item: its parent's, or what a join unites where the step asks for nothing else.
func (e *execution) incoming(it *orbit.Item) (orbit.Object, error) {
	switch {
	case e.step.Join == nil:
		return cluster.Load(it.Value, e.blobs)
	case e.step.Input != nil || e.streams():
		return nil, nil
	}
	return e.united(it)
}

// streams tells whether the satellite gets what it unites one object after the other.
func (e *execution) streams() bool {
	if e.step.Join == nil || e.step.Input != nil {
		return false
	}
	_, ok := e.step.code.(satellite.Uniting)
	return ok
}

// callFor gives the call that carries out the next item. A satellite that is done when it returns gets the same one each
// time; any other may still hold on to the one before, after its time limit.
func (e *execution) callFor(ctx context.Context) *satellite.Call {
	if e.call == nil || !e.quick {
		_, e.quick = e.step.code.(satellite.Immediate)
		e.plain = e.quick && e.fixed()
		e.call = &satellite.Call{Satellite: e.step.code, Invocation: &satellite.Invocation{Run: e.bundle.Run, Step: e.bundle.Step, Config: e.step.constant}, Timeout: time.Duration(e.step.Timeout), Mask: e.mask,
			Emit: func(o orbit.Object) error { return e.spool.add(ctx, o) }}
		e.call.Invocation.Log = satellite.MaskedLog(e.log.logger(e.call.Invocation, e.quick), e.mask)
	}
	return e.call
}

// fixed tells whether the step has no expressions: its config is a constant, and its input the incoming object.
func (e *execution) fixed() bool {
	return e.step.constant != nil && e.step.Input == nil && len(e.step.Grants) == 0 && e.step.condition == nil
}

// scope is what the expressions of one item see. Ancestors are decoded when an expression first asks for them.
func (e *execution) scope(it *orbit.Item, incoming orbit.Object) *cluster.Scope {
	b := e.bundle
	return &cluster.Scope{Plan: e.plan.Plan, Secrets: e.secrets.Values, Lacks: e.secrets.Lacks, Failure: e.step.Part == cluster.Failure,
		Output: func(name string) (any, error) {
			if name == e.step.Feeder() {
				return incoming.Value()
			}
			for i, l := range e.step.Live {
				if l.Step == name && i < len(it.Live) {
					o, err := cluster.Load(it.Live[i], e.blobs)
					if err != nil {
						return nil, err
					}
					return o.Value()
				}
			}
			return nil, fmt.Errorf("%s is not at hand", name)
		},
		Values: map[string]any{
			"cluster": map[string]any{"identifier": e.plan.Identifier, "trigger": stamp(b.TriggerAt), "sla": e.plan.SLA.String()},
			"run":     map[string]any{"id": b.Run, "deadline": stamp(b.Deadline)},
			"trigger": map[string]any{"type": b.TriggerType},
		}}
}

// resolveError says which item's expression failed. An error of the blob store or the connection stays what it is.
func (e *execution) resolveError(inv *satellite.Invocation, where string, err error) error {
	var own *orbit.Error
	if errors.As(err, &own) {
		return orbit.Permanent(own.Code, "%s, %s: %s", inv.Item(), where, e.mask.Text(own.Message))
	}
	if errors.Is(err, errBlob) {
		return err
	}
	return orbit.Permanent(orbit.CodeInvalidInput, "%s, %s: %s", inv.Item(), where, e.mask.Text(err.Error()))
}

// misfit checks a resolved value against its schema.
func misfit(s *schema.Schema, inv *satellite.Invocation, part string, v any) error {
	if s == nil {
		return nil
	}
	bad := s.Check(v)
	if len(bad) == 0 {
		return nil
	}
	at := part
	for _, p := range bad[0].Path {
		at += "." + p
	}
	return orbit.Permanent(orbit.CodeInvalidConfig, "%s: %s %s", inv.Item(), at, bad[0].Message)
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func textMap(v any) map[string]string {
	m, _ := v.(map[string]any)
	out := make(map[string]string, len(m))
	for k, e := range m {
		if s, ok := e.(string); ok {
			out[k] = s
		}
	}
	return out
}
