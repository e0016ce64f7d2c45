package gateway

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

const (
	metricsType = "text/plain; version=0.0.4; charset=utf-8"
	// metricsTime bounds what a scrape may ask of the NATS server; who scrapes gives up after some ten seconds.
	metricsTime = 5 * time.Second
)

// getMetrics tells Prometheus how the mesh stands. Counters are this gateway's own, and so are open runs and the ledger of
// the partitions that it leads; queues and nodes are the same whichever gateway is asked. While the NATS server does not
// answer, what only it knows is left out.
func (g *Gateway) getMetrics(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), metricsTime)
	defer cancel()
	t := &promText{}
	t.family("orbit_gateway_info", "gauge", "The version of the gateway.")
	t.value(1, "version", g.opts.Version)
	g.metrics.write(t)
	g.runMetrics(t)
	g.nodeMetrics(t)
	g.storeMetrics(t)
	up := 0.0
	if g.queueMetrics(ctx, t) == nil && g.ledgerMetrics(ctx, t) == nil {
		up = 1
	}
	t.family("orbit_nats_up", "gauge", "Whether the NATS server answered.")
	t.value(up)
	w.Header().Set("Content-Type", metricsType)
	_, _ = w.Write(t.buf) // an error means that the caller is gone
	return nil
}

// write writes what was counted since the start.
func (m *metrics) write(t *promText) {
	t.family("orbit_runs_accepted_total", "counter", "Runs that this gateway has accepted.")
	t.value(float64(m.accepted.Load()))
	t.family("orbit_runs_ended_total", "counter", "Runs that ended while this gateway led them, by how they ended.")
	for i, state := range orbit.RunStates {
		if state.Terminal() {
			t.value(float64(m.ended[i].Load()), "state", string(state))
		}
	}
	t.family("orbit_http_requests_total", "counter", "Requests of the HTTP API, by route and status.")
	kinds, counts := m.requestCounts()
	for i, k := range kinds {
		t.value(float64(counts[i]), "route", k.route, "code", strconv.Itoa(k.status))
	}
}

// runMetrics tells of the open runs that this gateway leads.
func (g *Gateway) runMetrics(t *promText) {
	open, outstanding := map[orbit.RunState]int{}, 0
	for _, s := range g.settlers {
		s.mu.Lock()
		for _, or := range s.runs {
			open[or.doc.State]++
			outstanding += or.tally.Outstanding
		}
		s.mu.Unlock()
	}
	t.family("orbit_runs_open", "gauge", "Runs that have not ended, of the partitions that this gateway leads.")
	for _, state := range orbit.RunStates {
		if !state.Terminal() {
			t.value(float64(open[state]), "state", string(state))
		}
	}
	t.family("orbit_items_outstanding", "gauge", "Items of those runs that have not ended.")
	t.value(float64(outstanding))
}

// nodeMetrics tells of the machines.
func (g *Gateway) nodeMetrics(t *promText) {
	type sums struct{ total, busy, memory, free float64 }
	states, classes := map[string]int{"alive": 0}, map[string]sums{}
	for _, n := range g.listNodes() {
		states[n.State]++
		if n.State == "dead" || n.State == "left" {
			continue
		}
		s := classes[n.Class]
		s.total, s.busy = s.total+float64(n.Slots.Total), s.busy+float64(n.Slots.Busy)
		for _, gpu := range n.GPUs {
			s.memory, s.free = s.memory+float64(gpu.Memory), s.free+float64(gpu.Free)
		}
		classes[n.Class] = s
	}
	t.family("orbit_nodes", "gauge", "Machines, by state.")
	for _, state := range slices.Sorted(maps.Keys(states)) {
		t.value(float64(states[state]), "state", state)
	}
	for _, f := range []struct {
		name, help string
		of         func(sums) float64
	}{
		{"orbit_slots", "Bundles that the machines can run at once.", func(s sums) float64 { return s.total }},
		{"orbit_slots_busy", "Bundles that the machines are running.", func(s sums) float64 { return s.busy }},
		{"orbit_gpu_memory_bytes", "Memory of the machines' GPUs.", func(s sums) float64 { return s.memory }},
		{"orbit_gpu_memory_free_bytes", "Free memory of the machines' GPUs.", func(s sums) float64 { return s.free }},
	} {
		t.family(f.name, "gauge", f.help)
		for _, class := range slices.Sorted(maps.Keys(classes)) {
			t.value(f.of(classes[class]), "class", class)
		}
	}
}

// queueMetrics tells of the queues.
func (g *Gateway) queueMetrics(ctx context.Context, t *promText) error {
	queues, err := g.listQueues(ctx)
	if err != nil {
		return err
	}
	t.family("orbit_queue_bundles", "gauge", "Bundles in the queues: waiting for a machine, or held by one.")
	for _, q := range queues {
		t.value(float64(q.Waiting), "class", q.Class, "pool", q.Pool, "tier", q.Tier, "state", "waiting")
		t.value(float64(q.Running), "class", q.Class, "pool", q.Pool, "tier", q.Tier, "state", "running")
	}
	t.family("orbit_queue_oldest_seconds", "gauge", "Age of the oldest bundle of a queue; 0 where there is none.")
	for _, q := range queues {
		age := 0.0
		if q.Oldest != nil {
			age = max(0, time.Since(*q.Oldest).Seconds())
		}
		t.value(age, "class", q.Class, "pool", q.Pool, "tier", q.Tier)
	}
	return nil
}

// ledgerMetrics tells how far the ledgers are folded that this gateway leads.
func (g *Gateway) ledgerMetrics(ctx context.Context, t *promText) error {
	type state struct {
		p                string
		folded, lag, age float64
	}
	var led []state
	for p, s := range g.settlers {
		if !g.leads(p) {
			continue
		}
		folded := s.pulse.folded.Load()
		lag, err := streams.Pending(ctx, g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, ">"), folded+1)
		if err != nil {
			return err
		}
		age := 0.0
		if saved := s.pulse.saved.Load(); saved > 0 {
			age = max(0, time.Since(time.UnixMilli(saved)).Seconds())
		}
		led = append(led, state{strconv.Itoa(p), float64(folded), float64(lag), age})
	}
	for _, f := range []struct {
		name, help string
		of         func(state) float64
	}{
		{"orbit_ledger_folded_sequence", "Position of the leader: the stream sequence of the last record that it has folded.", func(s state) float64 { return s.folded }},
		{"orbit_ledger_lag_records", "Records that the leader has not folded yet.", func(s state) float64 { return s.lag }},
		{"orbit_checkpoint_age_seconds", "Time since all that was folded was in a checkpoint.", func(s state) float64 { return s.age }},
	} {
		t.family(f.name, "gauge", f.help)
		for _, s := range led {
			t.value(f.of(s), "partition", s.p)
		}
	}
	return nil
}
