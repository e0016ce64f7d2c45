// Package modelhost starts and stops the servers of models on a node's GPUs: when work for one waits, and when another needs the
// room.
//
//	work that waits, free memory ─► placement.Switch ─► start ─► healthy? ─► ready ─► the node takes the work
//	                                        └─► stop: the node takes no more ─► what runs ends ─► SIGTERM
//
// It owns the processes: none outlives the node, and none is started where its memory does not fit. It refuses to decide who is
// next, which placement does, and to know what a model is: it knows commands, devices and a URL that answers.
package modelhost

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// Server is a model's server as the configuration has it.
type Server struct {
	Name         string // of the satellite
	Pool         string
	Command      []string
	Memory       orbit.Bytes // of each device that it takes
	Devices      int         // 0: it needs no GPU
	Health       Health
	StartTimeout time.Duration // until it is healthy
	Hidden       []string      // variables of the environment that it does not get to see, beside ORBIT_…
}

// Work is what a node knows of the work of pools, and how it is told to let go of it.
type Work interface {
	// Loads tells what work there is. A pool of which that cannot be learned just now is left out.
	Loads(ctx context.Context, pools []string) map[string]placement.Load
	// Poke has the node ask again which pools are ready.
	Poke()
	// Quiet tells whether nothing of a pool that is not ready is taken, and nothing of it runs any more.
	Quiet(pool string) bool
	// HandBack stops what runs of a pool.
	HandBack(pool string)
}

// Options say what there is to be started.
type Options struct {
	Servers []Server
	GPUs    func() []orbit.GPU                  // as of now
	Dir     string                              // for the logs of the servers
	Mask    func(string) string                 // takes secrets out of what a server wrote
	Start   func(Command) (Process, error)      // nil: a child process
	Check   func(context.Context, Health) error // nil: by HTTP
	Log     zerolog.Logger
}

const (
	// lookEvery is the time between two looks at what waits: starting a server takes many times as long. Where nothing has for a
	// minute only each lookRarely-th is made, so that many nodes without work cost little.
	lookEvery  = time.Second
	lookRarely = 3
	calm       = time.Minute
	// lookLimit bounds one look.
	lookLimit = 5 * time.Second
	// drainLimit is how long what runs may take to its end when a server is to go; then it is handed back.
	drainLimit = 2 * time.Minute
	// handBackLimit is how long handing back may take. After that the server goes anyway, and an attempt is lost.
	handBackLimit = 10 * time.Second
	// assumedStart is how long a server takes to start, until it has been measured: a model of some ten GiB from a local disk.
	assumedStart = time.Minute
	// The first and the longest time between two starts of a server that fails. After steady of being ready it begins anew.
	firstDelay, longestDelay = 5 * time.Second, 5 * time.Minute
	steady                   = 10 * time.Minute
)

// Host runs the servers. Its run method is the only one that starts and stops them; everything else reaches it by channels.
type Host struct {
	o    Options
	log  zerolog.Logger
	work Work
	up   map[string]*atomic.Bool // by pool
	docs atomic.Pointer[[]orbit.ModelDoc]
	keep atomic.Bool // nothing is to be switched any more

	ctx    context.Context // ends when everything is to stop
	cancel context.CancelFunc
	looks  chan look
	events chan event
	wg     sync.WaitGroup

	// owned by run
	servers []*server
	gpus    int // that there were at the first look
	missing bool
}

// server is a Server and how it stands.
type server struct {
	Server
	now     placement.Server
	cancel  context.CancelFunc // stops its process
	begun   time.Time          // when it was started last
	before  []orbit.Bytes      // free on its devices then
	measure bool               // what it took is to be measured at the next look
	drained time.Time          // past that, what runs is handed back
	handed  bool
	failure string // why it failed last; "" where the last start went well
	told    string // what was logged of that
	waits   string // why it is not started though work waits
}

// look is what was seen.
type look struct {
	loads map[string]placement.Load
	gpus  []orbit.GPU
}

// event is what happened to a server's process.
type event struct {
	server *server
	ready  bool
	err    error // why it is gone; nil where it was to go
}

// New makes a host that has started nothing.
func New(o Options) *Host {
	if o.Start == nil {
		o.Start = start
	}
	if o.Check == nil {
		o.Check = Check
	}
	if o.Mask == nil {
		o.Mask = func(s string) string { return s }
	}
	h := &Host{o: o, log: o.Log, up: map[string]*atomic.Bool{}, looks: make(chan look), events: make(chan event)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	now := time.Now()
	for _, s := range o.Servers {
		h.up[s.Pool] = &atomic.Bool{}
		h.servers = append(h.servers, &server{Server: s, now: placement.Server{Name: s.Name, Memory: s.Memory, Devices: s.Devices, Start: assumedStart,
			State: placement.Stopped, Since: now, Idle: now}})
	}
	h.tell()
	return h
}

// Ready gives for each pool whether its server is up, as the node wants to know it.
func (h *Host) Ready() map[string]func() bool {
	out := map[string]func() bool{}
	for pool, up := range h.up {
		out[pool] = up.Load
	}
	return out
}

// Models tells how the servers stand.
func (h *Host) Models() []orbit.ModelDoc { return *h.docs.Load() }

// Start begins to look for work.
func (h *Host) Start(work Work) {
	h.work = work
	h.wg.Go(h.run)
	h.wg.Go(h.watch)
}

// Freeze leaves everything as it is from now on: nothing more is started, and none makes room for another.
func (h *Host) Freeze() { h.keep.Store(true) }

// Stop stops every server and returns when their processes are gone, or cannot be ended. A second call waits too.
func (h *Host) Stop() {
	h.cancel()
	h.wg.Wait()
}

// watch looks at the work and the devices, now and then.
func (h *Host) watch() {
	pools := make([]string, len(h.o.Servers))
	for i, s := range h.o.Servers {
		pools[i] = s.Pool
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	busy := time.Now()
	for n := 0; ; n++ {
		if time.Since(busy) < calm || n%lookRarely == 0 {
			ctx, cancel := context.WithTimeout(h.ctx, lookLimit)
			l := look{h.work.Loads(ctx, pools), h.o.GPUs()}
			cancel()
			for _, load := range l.loads {
				if load.Waiting > 0 || load.InHand > 0 {
					busy = time.Now()
				}
			}
			select {
			case h.looks <- l:
			case <-h.ctx.Done():
				return
			}
		}
		select {
		case <-tick.C:
		case <-h.ctx.Done():
			return
		}
	}
}

func (h *Host) run() {
	for {
		select {
		case l := <-h.looks:
			h.learn(l)
			h.decide(l.gpus)
			h.drain()
		case e := <-h.events:
			h.hear(e)
		case <-h.ctx.Done():
			h.end()
			return
		}
		h.tell()
	}
}

// end waits until every process is gone; their context has ended.
func (h *Host) end() {
	for _, s := range h.servers {
		h.up[s.Pool].Store(false)
		if s.now.State == placement.Starting || s.now.State == placement.Ready {
			s.now.State, s.now.Since = placement.Stopping, time.Now()
		}
	}
	h.work.Poke()
	h.tell()
	for {
		left := false
		for _, s := range h.servers {
			left = left || s.now.State == placement.Stopping
		}
		if !left {
			h.tell()
			return
		}
		h.hear(<-h.events)
	}
}
