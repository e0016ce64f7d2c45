package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// runList knows of every run when it was made and what state it is in, so that a page of runs reads the documents of that page
// alone, however many there are. It is a cache: each request first reads what has been written since the one before. A run takes
// about 200 bytes of it.
type runList struct {
	g *Gateway

	mu       sync.Mutex
	made     time.Time // when the bucket's stream was; another one begins anew
	next     uint64    // sequence that is read next
	byID     map[string]*listedRun
	order    []*listedRun // the oldest first
	clusters map[string]string
}

type listedRun struct {
	id      string
	cluster string
	state   orbit.RunState
	created time.Time
}

func (r *listedRun) compare(o *listedRun) int {
	return cmp.Or(r.created.Compare(o.created), strings.Compare(r.id, o.id))
}

// refresh reads what has changed; l.mu is held.
func (l *runList) refresh(ctx context.Context) error {
	b := l.g.store.Runs
	s, err := l.g.js.Stream(ctx, b.Stream())
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	if l.byID == nil || !info.Created.Equal(l.made) || info.State.LastSeq+1 < l.next {
		l.made, l.next, l.byID, l.order, l.clusters = info.Created, 1, map[string]*listedRun{}, nil, map[string]string{}
	}
	if l.next > info.State.LastSeq {
		return nil
	}
	fresh := len(l.order) == 0
	err = streams.ReadAll(ctx, l.g.opts.Conn, b.Stream(), b.Keys(), l.next, func(m streams.Stored) error {
		l.take(b.Key(m.Subject), m.Data, fresh)
		l.next = m.Seq + 1
		return nil
	})
	if fresh {
		slices.SortFunc(l.order, (*listedRun).compare)
	}
	if err != nil {
		return err
	}
	l.next = max(l.next, info.State.LastSeq+1) // the last may have been removed
	return nil
}

// take notes a document, or that it was deleted. unsorted: the caller sorts.
func (l *runList) take(id string, data []byte, unsorted bool) {
	var doc struct {
		Cluster string         `json:"cluster"`
		State   orbit.RunState `json:"state"`
		Created time.Time      `json:"created_at"`
	}
	old := l.byID[id]
	if len(data) == 0 || json.Unmarshal(data, &doc) != nil {
		l.remove(old)
		return
	}
	if old != nil {
		old.state = doc.State
		return
	}
	name, ok := l.clusters[doc.Cluster]
	if !ok {
		name = doc.Cluster
		l.clusters[name] = name
	}
	r := &listedRun{id: id, cluster: name, state: doc.State, created: doc.Created}
	l.byID[id] = r
	if unsorted {
		l.order = append(l.order, r)
		return
	}
	at, _ := slices.BinarySearchFunc(l.order, r, (*listedRun).compare) // nearly always the end
	l.order = slices.Insert(l.order, at, r)
}

func (l *runList) remove(r *listedRun) {
	if r == nil {
		return
	}
	delete(l.byID, r.id)
	if at := slices.Index(l.order, r); at >= 0 {
		l.order = slices.Delete(l.order, at, at+1)
	}
}

// page gives the ids of up to n runs that fit, the latest first, and where the next page begins. from is where this one does: ""
// is the latest run.
func (l *runList) page(ctx context.Context, from string, n int, cluster string, states []orbit.RunState) (ids []string, next string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, "", err
	}
	i := len(l.order)
	if from != "" {
		at, err := readPlace(from)
		if err != nil {
			return nil, "", err
		}
		i, _ = slices.BinarySearchFunc(l.order, at, (*listedRun).compare)
	}
	for i--; i >= 0; i-- {
		r := l.order[i]
		if cluster != "" && r.cluster != cluster || len(states) > 0 && !slices.Contains(states, r.state) {
			continue
		}
		if len(ids) == n {
			last := l.byID[ids[n-1]]
			return ids, last.place(), nil
		}
		ids = append(ids, r.id)
	}
	return ids, "", nil
}

// place is the cursor of what comes after a run: runs that are made between two pages do not move it.
func (r *listedRun) place() string { return strconv.FormatInt(r.created.UnixNano(), 36) + "-" + r.id }

func readPlace(cursor string) (*listedRun, error) {
	at, id, ok := strings.Cut(cursor, "-")
	n, err := strconv.ParseInt(at, 36, 64)
	if !ok || err != nil || !orbit.ValidID(id) {
		return nil, badRequest("cursor=%s is none that this list gave", cursor)
	}
	return &listedRun{id: id, created: time.Unix(0, n)}, nil
}

// readersAtOnce bounds the documents of a page that are read at the same time.
const readersAtOnce = 16

// documents reads those of some runs, in their order. What has been deleted meanwhile is left out.
func (g *Gateway) documents(ctx context.Context, ids []string) ([]*kv.Run, error) {
	docs, errs := make([]*kv.Run, len(ids)), make([]error, len(ids))
	var wg sync.WaitGroup
	for w := range min(readersAtOnce, len(ids)) {
		wg.Go(func() {
			for i := w; i < len(ids); i += readersAtOnce {
				docs[i], _, errs[i] = g.store.Runs.Get(ctx, ids[i])
				if errors.Is(errs[i], kv.ErrNotFound) {
					errs[i] = nil
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read the runs of a page: %w", err)
	}
	return slices.DeleteFunc(docs, func(doc *kv.Run) bool { return doc == nil }), nil
}
