package gateway

import (
	"context"
	"errors"
	"sync"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
)

// maxPlans bounds the cache.
const maxPlans = 512

// planCache reads plans by hash; a plan never changes.
type planCache struct {
	bucket *kv.Bucket[kv.Plan]
	mu     sync.Mutex
	byHash map[string]*cluster.Plan
}

func newPlanCache(b *kv.Bucket[kv.Plan]) *planCache {
	return &planCache{bucket: b, byHash: map[string]*cluster.Plan{}}
}

func (c *planCache) get(ctx context.Context, hash string) (*cluster.Plan, error) {
	c.mu.Lock()
	p := c.byHash[hash]
	c.mu.Unlock()
	if p != nil {
		return p, nil
	}
	raw, _, err := c.bucket.Get(ctx, hash)
	if err != nil {
		return nil, err
	}
	if p, err = cluster.ParsePlan(raw.Text); err != nil {
		return nil, err
	}
	c.keep(hash, p)
	return p, nil
}

// put stores a plan under its hash; one that is there is the same.
func (c *planCache) put(ctx context.Context, p *cluster.Plan) error {
	_, err := c.bucket.Create(ctx, p.Hash(), &kv.Plan{Text: p.Encode()})
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		return err
	}
	c.keep(p.Hash(), p)
	return nil
}

func (c *planCache) keep(hash string, p *cluster.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byHash) >= maxPlans {
		clear(c.byHash)
	}
	c.byHash[hash] = p
}
