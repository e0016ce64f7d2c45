package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/exospherehost/orbit/kv"
)

// clusterLife is how long a cluster's document is believed: what another gateway applied or deleted is seen within it.
// Reading it for each of thousands of runs a second would be a good part of what accepting a run costs.
const clusterLife = time.Second

// clusterCache reads cluster documents.
type clusterCache struct {
	bucket *kv.Bucket[kv.Cluster]
	mu     sync.Mutex
	seen   map[string]seenCluster
	drops  int // grows with every forget: what was read before one is not kept after it
}

type seenCluster struct {
	doc *kv.Cluster
	at  time.Time
}

func newClusterCache(b *kv.Bucket[kv.Cluster]) *clusterCache {
	return &clusterCache{bucket: b, seen: map[string]seenCluster{}}
}

// get gives a cluster's document; it is shared and not changed.
func (c *clusterCache) get(ctx context.Context, identifier string) (*kv.Cluster, error) {
	key, now := kv.ClusterKey(identifier), time.Now()
	c.mu.Lock()
	s, ok := c.seen[key]
	drops := c.drops
	c.mu.Unlock()
	if ok && now.Sub(s.at) < clusterLife {
		return s.doc, nil
	}
	doc, _, err := c.bucket.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if drops != c.drops {
		return doc, nil
	}
	if len(c.seen) >= maxPlans {
		clear(c.seen)
	}
	c.seen[key] = seenCluster{doc, now}
	return doc, nil
}

// forget drops what is known of a cluster, because this gateway is about to change it or has.
func (c *clusterCache) forget(identifier string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	delete(c.seen, kv.ClusterKey(identifier))
}
