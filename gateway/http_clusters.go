package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

func (g *Gateway) putCluster(w http.ResponseWriter, r *http.Request) error {
	text, err := readBody(w, r, MaxClusterFile)
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return errClusterFile()
	}
	if err != nil {
		return err
	}
	a, err := g.apply(r.Context(), clusterName(r), text)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if a.Created {
		status = http.StatusCreated
	}
	return writeJSON(w, status, a)
}

func (g *Gateway) getCluster(w http.ResponseWriter, r *http.Request) error {
	doc, _, err := g.store.Clusters.Get(r.Context(), kv.ClusterKey(clusterName(r)))
	if errors.Is(err, kv.ErrNotFound) {
		return notFound("there is no cluster %s; `orbit clusters` lists them", clusterName(r))
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, doc.ClusterDoc)
}

func (g *Gateway) removeCluster(w http.ResponseWriter, r *http.Request) error {
	if err := g.deleteCluster(r.Context(), clusterName(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (g *Gateway) getClusters(w http.ResponseWriter, r *http.Request) error {
	b := g.store.Clusters
	var all []orbit.ClusterDoc
	err := streams.ReadAll(r.Context(), g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Cluster
		if len(m.Data) > 0 && json.Unmarshal(m.Data, &doc) == nil {
			all = append(all, doc.ClusterDoc)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b orbit.ClusterDoc) int { return strings.Compare(a.Identifier, b.Identifier) })
	p, err := offsetPage(r, all)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

func (g *Gateway) getNodes(w http.ResponseWriter, r *http.Request) error {
	p, err := offsetPage(r, g.listNodes())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

func (g *Gateway) getQueues(w http.ResponseWriter, r *http.Request) error {
	all, err := g.listQueues(r.Context())
	if err != nil {
		return err
	}
	p, err := offsetPage(r, all)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

// listQueues gives every queue, by class, pool and tier, as its consumers know it.
func (g *Gateway) listQueues(ctx context.Context) ([]orbit.QueueDoc, error) {
	var all []orbit.QueueDoc
	for _, q := range g.topology.Queues() {
		doc := orbit.QueueDoc{Class: q.Class, Pool: q.Pool, Tier: q.Tier}
		for p := range g.topology.Partitions {
			info, err := g.queueState(ctx, q, p)
			if err != nil {
				return nil, err
			}
			doc.Waiting += int(info.NumPending)
			doc.Running += info.NumAckPending
			if info.NumPending == 0 && info.NumAckPending == 0 {
				continue
			}
			_, err = streams.ReadBatch(ctx, g.opts.Conn, streams.StreamName(p), q.Filter(p), 1, 1, func(m streams.Stored) error {
				if at := m.Time.UTC(); doc.Oldest == nil || at.Before(*doc.Oldest) {
					doc.Oldest = &at
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		all = append(all, doc)
	}
	slices.SortFunc(all, func(a, b orbit.QueueDoc) int {
		if c := strings.Compare(a.Class+" "+a.Pool, b.Class+" "+b.Pool); c != 0 {
			return c
		}
		return tierRank(a.Tier) - tierRank(b.Tier)
	})
	return all, nil
}

func tierRank(name string) int {
	return slices.IndexFunc(orbit.Tiers[:], func(t orbit.Tier) bool { return t.Name == name })
}
