// Package exec runs a satellite that is a program of the user's: a child process that takes items from its stdin, one after
// the other, and answers on its stdout.
//
//	Run ──► a free process ──Request──► stdin │ program │ stdout ──Answer──► emit, log, error
//	        (else a new one)                  └─ stderr ─────────────────► the item's log
//
// It owns the processes: how many there are, that each works on one item at a time, and that none outlives its purpose. A
// process leads a group of its own and is ended with it: at a time limit, when the run is cancelled, when it breaks the
// protocol, returns or uses too much, has had nothing to do for a while, or when the node stops or dies. It refuses to hand
// secrets to anything but stdin: neither arguments nor environment hold any.
package exec

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/group"
	"github.com/exospherehost/orbit/satellite"
)

// Options say what to run. Spec and Command must be given.
type Options struct {
	Spec      *satellite.Spec
	Dir       string            // working folder of the program
	Command   []string          // program and arguments; a program with a slash in it is looked for in Dir
	Env       map[string]string // beside PATH, HOME and LANG, which are the node's
	Framing   string            // Lines by default, or Length; the program finds it in ORBIT_FRAMING
	Processes int               // at most, at once; the cores of the machine by default
	Memory    orbit.Bytes       // of a process and its children, resident; 0: no limit. Kept on Linux only
	MaxOutput orbit.Bytes       // of all answers to one item; 64 MiB by default
	Start     time.Duration     // until the program has said that it is there; 30 s by default
	Idle      time.Duration     // after which a process without items ends; 5 minutes by default
	Grace     time.Duration     // between SIGTERM and SIGKILL; 2 s by default, less than an attempt is waited for
}

// Exec is the satellite.
type Exec struct {
	o     Options
	slots chan struct{} // one for each item that is worked on
	last  atomic.Uint64 // request

	mu     sync.Mutex
	closed bool
	all    map[*child]bool
	idle   []*child // those without an item; the last one used is the next
	timers map[*child]*time.Timer

	stop  chan struct{} // ends watch
	watch sync.WaitGroup
}

// New makes the satellite; no process is started before there is an item. Close must be called.
func New(o Options) *Exec {
	if o.Framing == "" {
		o.Framing = Lines
	}
	if o.Processes <= 0 {
		o.Processes = runtime.NumCPU()
	}
	for _, d := range []struct {
		set   *time.Duration
		value time.Duration
	}{{&o.Start, 30 * time.Second}, {&o.Idle, 5 * time.Minute}, {&o.Grace, 2 * time.Second}} {
		if *d.set <= 0 {
			*d.set = d.value
		}
	}
	if o.MaxOutput <= 0 {
		o.MaxOutput = 64 * orbit.MiB
	}
	e := &Exec{o: o, slots: make(chan struct{}, o.Processes), all: map[*child]bool{}, timers: map[*child]*time.Timer{}, stop: make(chan struct{})}
	if o.Memory > 0 {
		e.watch.Go(e.watchMemory)
	}
	return e
}

// Spec implements satellite.Satellite.
func (e *Exec) Spec() *satellite.Spec { return e.o.Spec }

// Run hands one item to a process. It returns when the process is free again, or is gone.
func (e *Exec) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.slots }()
	c, err := e.take(ctx)
	if err != nil {
		return err
	}
	reusable, err := c.do(ctx, satellite.NewRequest(strconv.FormatUint(e.last.Add(1), 10), inv), inv, emit)
	e.give(c, reusable)
	return err
}

// take gives a process that waits for an item, or a new one.
func (e *Exec) take(ctx context.Context) (*child, error) {
	for {
		c, err := e.pop()
		if err != nil {
			return nil, err
		}
		if c == nil {
			break
		}
		if c.idle() {
			return c, nil
		}
		e.drop(c) // it ended meanwhile, or said something that nobody asked for
	}
	c, err := newChild(&e.o)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.all[c] = true
	closed := e.closed
	e.mu.Unlock()
	if closed {
		err = e.stopped()
	} else {
		err = c.greet(ctx)
	}
	if err != nil {
		e.drop(c)
		return nil, err
	}
	return c, nil
}

// pop takes the process that waited shortest; nil where none waits.
func (e *Exec) pop() (*child, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, e.stopped()
	}
	if len(e.idle) == 0 {
		return nil, nil
	}
	c := e.idle[len(e.idle)-1]
	e.forget(c)
	return c, nil
}

// give takes a process back.
func (e *Exec) give(c *child, reusable bool) {
	e.mu.Lock()
	if reusable && !e.closed {
		e.idle = append(e.idle, c)
		e.timers[c] = time.AfterFunc(e.o.Idle, func() { e.retire(c) })
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	e.drop(c)
}

// retire ends a process that had nothing to do for long, unless it has been taken meanwhile.
func (e *Exec) retire(c *child) {
	e.mu.Lock()
	_, waits := e.timers[c]
	if waits {
		e.forget(c)
	}
	e.mu.Unlock()
	if waits {
		e.drop(c)
	}
}

// forget takes a process out of those that wait. The caller holds mu.
func (e *Exec) forget(c *child) {
	for i := range e.idle {
		if e.idle[i] == c {
			e.idle = append(e.idle[:i], e.idle[i+1:]...)
			break
		}
	}
	if t := e.timers[c]; t != nil {
		t.Stop()
	}
	delete(e.timers, c)
}

// drop ends a process for good.
func (e *Exec) drop(c *child) {
	c.end()
	e.mu.Lock()
	delete(e.all, c)
	e.mu.Unlock()
}

// Close ends every process, with the items they work on, and waits for it. A second call waits too.
func (e *Exec) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.stop)
	}
	var left []*child
	for c := range e.all {
		e.forget(c)
		left = append(left, c)
	}
	e.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range left {
		wg.Go(func() { e.drop(c) })
	}
	wg.Wait()
	e.watch.Wait()
	return nil
}

func (e *Exec) stopped() error {
	return orbit.Transient(orbit.CodeUnavailable, "%s: the node is stopping", e.o.Spec.Name)
}

// memoryLook is the time between two looks at the memory of processes: a program that takes a gigabyte a second is a
// quarter of one past its limit.
const memoryLook = 250 * time.Millisecond

// watchMemory kills processes that use too much. A limit of the kernel on the address space (RLIMIT_AS) would be exact, and
// of no use: Go, Java and most model runtimes reserve far more than they use.
func (e *Exec) watchMemory() {
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
		}
		e.mu.Lock()
		groups := make(map[int]*child, len(e.all))
		for c := range e.all {
			groups[c.group.ID()] = c
		}
		e.mu.Unlock()
		if len(groups) == 0 {
			continue
		}
		for id, used := range group.Resident() {
			if c := groups[id]; c != nil && used > int64(e.o.Memory) {
				c.overfull.Store(true)
				c.kill()
			}
		}
	}
}

// environment is all that a program finds in its environment.
func (o *Options) environment() []string {
	env := []string{"ORBIT_FRAMING=" + o.Framing}
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if _, own := o.Env[name]; own {
			continue
		}
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range o.Env {
		env = append(env, name+"="+value)
	}
	return env
}
