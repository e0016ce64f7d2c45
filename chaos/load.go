package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	startEvery = 150 * time.Millisecond // about as much as two cores with nine processes can bear
	mostOpen   = 40                     // runs that have not ended; more of them only wait
)

// load is the clients: they start runs of every cluster, some of them twice and through both gateways, cancel some, and
// watch each until it has ended.
type load struct {
	seed    uint64
	files   []clusterFile
	clients []*client // one a gateway
	hook    string

	open atomic.Int64
	wg   sync.WaitGroup

	mu      sync.Mutex
	wrong   []string
	outputs map[string]int // leaf outputs that the API gave of ended runs
	items   map[string]int
}

// run starts runs until ctx ends. Those are watched until end ends; wait waits for that.
func (l *load) run(ctx, end context.Context) {
	tick := time.NewTicker(startEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if l.open.Load() >= mostOpen {
			i-- // the next one is drawn as this one would have been
			continue
		}
		l.open.Add(1)
		l.wg.Go(func() {
			defer l.open.Add(-1)
			l.follow(end, i)
		})
	}
}

func (l *load) wait() { l.wg.Wait() }

// pads are sizes of what travels with each item: from nothing to more than fits a message.
var pads = []int{0, 0, 10, 200, 3000, 40_000}

// follow is the life of one run, as its client sees it.
func (l *load) follow(ctx context.Context, i int) {
	r := rand.New(rand.NewPCG(l.seed, uint64(1000+i)))
	file := l.files[r.IntN(len(l.files))]
	pad := pads[r.IntN(len(pads))]
	n := 1 + r.IntN(40)
	switch {
	case pad > 1000:
		n = 1 + r.IntN(6)
	case r.IntN(3) == 0:
		n = 1 // what is done twice with two results has children or has none
	}
	payload := l.payload(n, pad, fmt.Sprint(i))
	o := op{Client: i, Cluster: file.identifier}
	if r.IntN(10) < 6 {
		o.Key = fmt.Sprintf("key-%d", i)
	}
	both, repeats, other, cancels := r.IntN(3) == 0, r.IntN(3), r.IntN(8) == 0, r.IntN(8) == 0
	pick := func() *client { return l.clients[r.IntN(len(l.clients))] }
	pause := func(d time.Duration) { sleep(ctx, time.Duration(r.Int64N(int64(d)))) }

	if o.Key != "" && both { // at the same moment
		var wg sync.WaitGroup
		for _, c := range l.clients {
			wg.Go(func() { c.start(ctx, o, payload, file.secrets) })
		}
		wg.Wait()
	}
	got := pick().start(ctx, o, payload, file.secrets)
	for o.Key != "" && (got.Result == resultUnknown || got.Result == resultFailed) && ctx.Err() == nil {
		pause(2 * time.Second)
		got = pick().start(ctx, o, payload, file.secrets)
	}
	if got.Result != resultOK {
		if got.Result == resultRefused {
			l.fault("a client's request for a run of %s was refused: %s", file.identifier, got.Note)
		}
		return
	}
	o.Run = got.Run
	if o.Key != "" {
		for range repeats {
			pause(time.Second)
			pick().start(ctx, o, payload, file.secrets)
		}
		if other {
			o := o
			o.Other, o.Run = true, ""
			pick().start(ctx, o, l.payload(n, pad, "another"), file.secrets)
		}
	}
	if cancels {
		pause(300 * time.Millisecond)
		for pick().cancel(ctx, o).Result == resultUnknown && ctx.Err() == nil {
			pause(2 * time.Second)
		}
	}
	for !pick().read(ctx, o, 2*time.Second).State.Terminal() && ctx.Err() == nil {
		pause(time.Second)
	}
	pause(2 * time.Second)
	for _, c := range l.clients { // what has ended stays so, whoever is asked
		c.read(ctx, o, 0)
	}
	l.look(ctx, pick(), o.Run)
}

// look reads what an ended run has come to.
func (l *load) look(ctx context.Context, c *client, run string) {
	outputs, whole := c.outputs(ctx, run)
	items, all := c.items(ctx, run)
	l.mu.Lock()
	defer l.mu.Unlock()
	if whole {
		l.outputs[run] = outputs
	}
	if all {
		l.items[run] = items
	}
}

// payload is what every cluster of the load takes.
func (l *load) payload(n, pad int, salt string) []byte {
	text, _ := json.Marshal(map[string]any{"n": n, "pad": strings.Repeat("x", pad), "hook": l.hook, "salt": fmt.Sprintf("%d-%s", l.seed, salt)}) // words and numbers
	return text
}

func (l *load) fault(format string, a ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, a...))
}

// keyed is the run that a key makes.
func keyed(o op) string { return orbit.HashID("key", o.Cluster, o.Key) }

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
