package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// topCommand is `orbit top`.
type topCommand struct{}

// Help is the long help.
func (*topCommand) Help() string {
	return "On a terminal the view is drawn again each second, until Ctrl-C; elsewhere, and with -o json, it is printed once. Queues that hold nothing are left out."
}

const (
	topEvery = time.Second
	topRuns  = 50 // the latest of the open runs; a window shows fewer
)

// overview is how the mesh stood at a time.
type overview struct {
	at     time.Time
	nodes  []orbit.NodeDoc
	queues []orbit.QueueDoc
	runs   []orbit.Run
}

// Run shows the mesh.
func (*topCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if a.json() {
		return a.topJSON(ctx, client)
	}
	o, err := fetchOverview(ctx, client)
	if err != nil {
		return err
	}
	screen := &progress{w: a.stdout, live: isTerminal(a.stdout) && a.variable("TERM") != "dumb"}
	if !screen.live {
		return a.print("%s", strings.Join(a.topLines([]overview{o}), "\n"))
	}
	a.watchMesh(ctx, client, screen, o)
	return nil
}

// watchMesh draws the mesh again each second, from a first look on, until ctx ends: that is how one leaves it.
func (a *app) watchMesh(ctx context.Context, client *apiclient.Client, screen *progress, o overview) {
	var window []overview // of the last rateWindow, oldest first
	var err error
	for {
		if err == nil {
			window = append(window, o)
		}
		for len(window) > 2 && o.at.Sub(window[0].at) > rateWindow {
			window = window[1:]
		}
		lines := a.topLines(window)
		if err != nil { // what was seen last stays in sight
			lines = append([]string{a.sentence(err), ""}, lines...)
		}
		columns, rows := windowSize(a.stdout)
		if len(lines) > rows-1 && rows > 2 {
			lines = append(lines[:rows-2], fmt.Sprintf("… and %s that find no room here", one(len(lines)-rows+2, "line")))
		}
		screen.draw(clip(lines, columns))
		if pause(ctx, topEvery) != nil {
			return
		}
		if o, err = fetchOverview(ctx, client); ctx.Err() != nil {
			return
		}
	}
}

// topJSON prints all of it as the API gives it.
func (a *app) topJSON(ctx context.Context, client *apiclient.Client) error {
	out := struct {
		Nodes  []json.RawMessage `json:"nodes"`
		Queues []json.RawMessage `json:"queues"`
		Runs   []json.RawMessage `json:"runs"`
	}{}
	for _, list := range []struct {
		into  *[]json.RawMessage
		pages iter.Seq2[[]json.RawMessage, error]
	}{{&out.Nodes, client.Nodes(ctx)}, {&out.Queues, client.Queues(ctx)}, {&out.Runs, openRuns(ctx, client)}} {
		*list.into = []json.RawMessage{}
		for page, err := range list.pages {
			if err != nil {
				return err
			}
			*list.into = append(*list.into, page...)
		}
	}
	return a.printJSON(out)
}

func openRuns(ctx context.Context, client *apiclient.Client) iter.Seq2[[]json.RawMessage, error] {
	var states []string
	for _, s := range orbit.RunStates {
		if !s.Terminal() {
			states = append(states, string(s))
		}
	}
	return client.Runs(ctx, apiclient.Query{States: states, Limit: topRuns})
}

func fetchOverview(ctx context.Context, client *apiclient.Client) (o overview, err error) {
	o.at = time.Now()
	if o.nodes, err = collect[orbit.NodeDoc](client.Nodes(ctx)); err != nil {
		return o, err
	}
	if o.queues, err = collect[orbit.QueueDoc](client.Queues(ctx)); err != nil {
		return o, err
	}
	o.runs, err = collect[orbit.Run](openRuns(ctx, client))
	return o, err
}

// collect decodes a whole list.
func collect[T any](pages iter.Seq2[[]json.RawMessage, error]) (all []T, err error) {
	for page, err := range pages {
		if err != nil {
			return nil, err
		}
		for _, raw := range page {
			doc, err := decode[T](raw)
			if err != nil {
				return nil, err
			}
			all = append(all, doc)
		}
	}
	return all, nil
}

// topLines draws the latest of the given overviews; rates are those since the first.
func (a *app) topLines(window []overview) []string {
	o := window[len(window)-1]
	slots, waiting := orbit.Slots{}, 0
	for _, n := range o.nodes {
		if n.State != "dead" && n.State != "left" {
			slots.Total, slots.Busy = slots.Total+n.Slots.Total, slots.Busy+n.Slots.Busy
		}
	}
	nodes := a.newTable("NODE STATE CLASS >SLOTS >GPU-MEMORY VERSION")
	for _, n := range o.nodes {
		nodes.add(n.Name, n.State, n.Class, fmt.Sprintf("%d/%d", n.Slots.Busy, n.Slots.Total), gpuUse(n.GPUs), n.Version)
	}
	queues := a.newTable("CLASS POOL TIER >WAITING >RUNNING >OLDEST")
	for _, q := range o.queues {
		waiting += q.Waiting
		if q.Waiting+q.Running > 0 {
			queues.add(q.Class, q.Pool, q.Tier, strconv.Itoa(q.Waiting), strconv.Itoa(q.Running), between(q.Oldest, nil, o.at))
		}
	}
	runs := a.newTable("RUN CLUSTER STATE >DONE >FAILED >TIME >DEADLINE PACE")
	for i := range o.runs {
		r := &o.runs[i]
		n := countItems(r.Satellites)
		runs.add(r.ID, r.Cluster, string(r.State), share(n), strconv.Itoa(n.failed), between(&r.CreatedAt, nil, o.at), dueText(r, o.at), paceOf(window, r, n))
	}
	lines := []string{fmt.Sprintf("%s  %s, %d of %d slots busy, %s waiting, %s open", o.at.Format("15:04:05"), one(len(o.nodes), "node"),
		slots.Busy, slots.Total, one(waiting, "bundle"), one(len(o.runs), "run"))}
	for _, t := range []*table{nodes, queues, runs} {
		if len(t.rows) > 0 {
			lines = append(append(lines, ""), t.lines()...)
		}
	}
	return lines
}

// lines gives the table as lines instead of writing it.
func (t *table) lines() []string {
	var b bytes.Buffer
	t.w = &b
	_ = t.flush() // a buffer takes everything
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// gpuUse is "12.5GiB/160GiB": what is in use of the memory of a machine's devices.
func gpuUse(gpus []orbit.GPU) string {
	var all, free orbit.Bytes
	for _, g := range gpus {
		all, free = all+g.Memory, free+g.Free
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%s", all-free, all)
}

// dueText says how long a run has until its deadline.
func dueText(r *orbit.Run, now time.Time) string {
	if left := r.Deadline.Sub(now); left > 0 && !r.DeadlineMissed {
		return "in " + shortDuration(left)
	}
	return "missed"
}

// paceOf is a run's rate over the window.
func paceOf(window []overview, r *orbit.Run, now counts) string {
	for _, o := range window {
		for i := range o.runs {
			if o.runs[i].ID == r.ID {
				return strings.TrimSpace(rate(countItems(o.runs[i].Satellites), now, window[len(window)-1].at.Sub(o.at)))
			}
		}
	}
	return ""
}
