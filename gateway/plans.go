package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

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
	stored map[string]time.Time // when put stored or wrote again
}

func newPlanCache(b *kv.Bucket[kv.Plan]) *planCache {
	return &planCache{bucket: b, byHash: map[string]*cluster.Plan{}, stored: map[string]time.Time{}}
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

// put stores a plan under its hash; one that is there is the same. It is not removed as unused for planAge from then on.
func (c *planCache) put(ctx context.Context, p *cluster.Plan) error {
	hash, doc := p.Hash(), &kv.Plan{Text: p.Encode()}
	for {
		_, err := c.bucket.Create(ctx, hash, doc)
		if errors.Is(err, kv.ErrConflict) && !c.fresh(hash) {
			var rev uint64
			if _, rev, err = c.bucket.Get(ctx, hash); err == nil {
				_, err = c.bucket.Update(ctx, hash, doc, rev)
			}
			if errors.Is(err, kv.ErrConflict) || errors.Is(err, kv.ErrNotFound) { // written or removed just now
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
				continue
			}
		}
		if err != nil && !errors.Is(err, kv.ErrConflict) {
			return err
		}
		break
	}
	c.keep(hash, p)
	if !c.fresh(hash) {
		c.mu.Lock()
		if len(c.stored) >= maxPlans {
			clear(c.stored)
		}
		c.stored[hash] = time.Now()
		c.mu.Unlock()
	}
	return nil
}

// fresh tells whether this gateway has stored a plan a short while ago.
func (c *planCache) fresh(hash string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.stored[hash]
	return ok && time.Since(at) < planTouch
}

// drop forgets a plan that is removed.
func (c *planCache) drop(hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byHash, hash)
	delete(c.stored, hash)
}

func (c *planCache) keep(hash string, p *cluster.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byHash) >= maxPlans {
		clear(c.byHash)
	}
	c.byHash[hash] = p
}
