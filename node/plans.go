package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

// maxPlans bounds the cache; a plan with its schemas takes some 100 KiB.
const maxPlans = 256

// plan is a plan made ready for execution.
type plan struct {
	*cluster.Plan
	steps map[string]*step
}

// step is a step with its code.
type step struct {
	*cluster.Step
	code      satellite.Satellite // nil: this node has none
	condition *cluster.Expr       // nil: it always runs
	config    *schema.Schema
	input     *schema.Schema
	constant  map[string]any // the config, where it holds no expression
	kids      []*cluster.Step
}

// plans caches plans by hash; a plan never changes.
type plans struct {
	bucket   *kv.Bucket[kv.Plan]
	registry *satellite.Registry

	learned func() // called when a plan has become known; nil: nobody waits for that

	mu      sync.Mutex
	byHash  map[string]*plan
	schemas map[string]*schema.Schema // by satellite name and part
}

func newPlans(b *kv.Bucket[kv.Plan], r *satellite.Registry) *plans {
	return &plans{bucket: b, registry: r, byHash: map[string]*plan{}, schemas: map[string]*schema.Schema{}}
}

// get gives a plan, from the cache or the bucket.
func (ps *plans) get(ctx context.Context, hash string) (*plan, error) {
	ps.mu.Lock()
	p := ps.byHash[hash]
	ps.mu.Unlock()
	if p != nil {
		return p, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	raw, _, err := ps.bucket.Get(ctx, hash)
	if err != nil {
		return nil, err
	}
	parsed, err := cluster.ParsePlan(raw.Text)
	if err != nil {
		return nil, err
	}
	if p, err = ps.prepare(parsed); err != nil {
		return nil, err
	}
	ps.mu.Lock()
	if len(ps.byHash) >= maxPlans {
		clear(ps.byHash) // rare, and refilled at once
	}
	ps.byHash[hash] = p
	ps.mu.Unlock()
	if ps.learned != nil {
		ps.learned()
	}
	return p, nil
}

func (ps *plans) prepare(p *cluster.Plan) (*plan, error) {
	out := &plan{Plan: p, steps: make(map[string]*step, len(p.Steps))}
	for i := range p.Steps {
		s := &step{Step: &p.Steps[i]}
		for _, name := range s.Children {
			kid, ok := p.Step(name)
			if !ok {
				return nil, fmt.Errorf("the plan names %s as a child of %s and has no such step", name, s.Identifier)
			}
			if kid.Join == nil { // the leader publishes joins
				s.kids = append(s.kids, kid)
			}
		}
		if s.If != "" {
			var err error
			if s.condition, err = cluster.ParseExpr(s.If); err != nil {
				return nil, fmt.Errorf("the condition of %s: %w", s.Identifier, err)
			}
		}
		if code, ok := ps.registry.Satellite(s.Uses); ok {
			s.code = code
			spec := code.Spec()
			var err error
			if s.config, err = ps.schema(spec.Name+" config", spec.Config); err != nil {
				return nil, err
			}
			if s.Input != nil && len(spec.Input) > 0 {
				if s.input, err = ps.schema(spec.Name+" input", spec.Input); err != nil {
					return nil, err
				}
			}
		}
		if s.constant = constantMap(s.Config); s.Config == nil {
			s.constant = map[string]any{}
		}
		out.steps[s.Identifier] = s
	}
	return out, nil
}

func (ps *plans) schema(name string, raw []byte) (*schema.Schema, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if s, ok := ps.schemas[name]; ok {
		return s, nil
	}
	s, err := schema.Compile(raw)
	if err != nil {
		return nil, fmt.Errorf("the schema of %s: %w", name, err)
	}
	ps.schemas[name] = s
	return s, nil
}

// constantMap is the value of a template without expressions, if it is a map. It is shared by all items and not changed.
func constantMap(t *cluster.Template) map[string]any {
	found := false
	t.Walk(func(*cluster.Expr) { found = true })
	if found || t == nil {
		return nil
	}
	v, err := t.Resolve(&cluster.Scope{})
	if err != nil {
		return nil
	}
	m, _ := v.(map[string]any)
	return m
}
