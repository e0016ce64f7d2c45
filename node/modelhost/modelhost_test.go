package modelhost

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// machine is a node and its processes, without either.
type machine struct {
	*testing.T
	*Host

	mu     sync.Mutex
	loads  map[string]placement.Load
	unfit  bool            // nothing can be started
	silent map[string]bool // servers that never answer
	alive  map[string]*process
	begun  map[string][]time.Time
	handed []string
	logged strings.Builder
}

// process is a server that is ready a minute after its start.
type process struct {
	m     *machine
	name  string
	begun time.Time
	gone  chan struct{}
	once  sync.Once
	how   string
}

func (p *process) Gone() <-chan struct{}     { return p.gone }
func (p *process) Ended() (how, tail string) { return p.how, "CUDA out of memory, CANARY" }
func (p *process) Stop(time.Duration)        { p.end("ended with signal: terminated") }
func (p *process) end(how string)            { p.once.Do(func() { p.ended(how) }) }
func (m *machine) Poke()                     {}
func (m *machine) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logged.Write(p)
}

func (p *process) ended(how string) {
	p.how = how
	p.m.mu.Lock()
	delete(p.m.alive, p.name)
	p.m.mu.Unlock()
	close(p.gone)
}

func (m *machine) Loads(context.Context, []string) map[string]placement.Load {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.loads)
}

func (m *machine) Quiet(pool string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loads[pool].InHand == 0
}

func (m *machine) HandBack(pool string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handed = append(m.handed, pool)
	l := m.loads[pool]
	l.Waiting, l.InHand = l.Waiting+l.InHand, 0
	m.loads[pool] = l
}

func (m *machine) start(c Command) (Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unfit {
		return nil, errors.New("executable file not found in $PATH")
	}
	if len(m.alive) > 0 {
		m.Errorf("%s is started beside %v", c.Name, slices.Collect(maps.Keys(m.alive)))
	}
	m.begun[c.Name] = append(m.begun[c.Name], time.Now())
	p := &process{m: m, name: c.Name, begun: time.Now(), gone: make(chan struct{})}
	m.alive[c.Name] = p
	return p, nil
}

func (m *machine) check(_ context.Context, h Health) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.alive[h.URL]; p != nil && time.Since(p.begun) >= time.Minute && !m.silent[h.URL] {
		return nil
	}
	return errors.New("connection refused")
}

// silence says whether a server answers, however well it is.
func (m *machine) silence(name string, silent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent[name] = silent
}

// of is a server's process; nil: there is none.
func (m *machine) of(name string) *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.alive[name]
}

// work sets what there is for a model, due in hours.
func (m *machine) load(name string, waiting, inHand, hours int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads["pool-"+name] = placement.Load{Waiting: waiting, InHand: inHand, Deadline: time.Now().Add(time.Duration(hours) * time.Hour)}
}

func (m *machine) states() string {
	var out []string
	for _, d := range m.Models() {
		out = append(out, fmt.Sprintf("%s %s", d.Name, d.State))
	}
	return strings.Join(out, ", ")
}

func (m *machine) is(want string) {
	m.Helper()
	synctest.Wait()
	if got := m.states(); got != want {
		m.Errorf("%s after the start: %s, want %s", time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), got, want)
	}
}

// onMachine runs a test with the models a and b, of which the one GPU has room for one.
func onMachine(t *testing.T, f func(m *machine)) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{T: t, loads: map[string]placement.Load{"pool-a": {}, "pool-b": {}}, alive: map[string]*process{}, begun: map[string][]time.Time{}, silent: map[string]bool{}}
		var servers []Server
		for _, name := range []string{"a", "b"} {
			servers = append(servers, Server{Name: name, Pool: "pool-" + name, Command: []string{"serve", name}, Memory: 60 * orbit.GiB, Devices: 1, Health: Health{URL: name}, StartTimeout: 10 * time.Minute})
		}
		m.Host = New(Options{Servers: servers, GPUs: func() []orbit.GPU { return []orbit.GPU{{Memory: 80 * orbit.GiB, Free: 80 * orbit.GiB}} },
			Start: m.start, Check: m.check, Log: zerolog.New(m), Mask: func(s string) string { return strings.ReplaceAll(s, "CANARY", "***") }})
		m.Host.Start(m)
		defer func() {
			m.Host.Stop()
			if m.of("a") != nil || m.of("b") != nil {
				t.Error("a server has outlived its host")
			}
		}()
		f(m)
	})
}

func TestAServerIsStartedWhenWorkWaitsAndStaysWarm(t *testing.T) {
	onMachine(t, func(m *machine) {
		time.Sleep(time.Hour)
		m.is("a stopped, b stopped")
		m.load("a", 3, 0, 6)
		time.Sleep(10 * time.Second)
		m.is("a starting, b stopped")
		if m.Ready()["pool-a"]() {
			m.Error("it is ready already")
		}
		time.Sleep(time.Minute)
		m.is("a ready, b stopped")
		if !m.Ready()["pool-a"]() || m.Ready()["pool-b"]() {
			m.Error("the node would not take its work, or that of the other")
		}
		m.load("a", 0, 0, 0)
		time.Sleep(10 * time.Hour)
		m.is("a ready, b stopped")
	})
}

func TestAnIdleServerMakesRoomAndIsGoneBefore(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.load("a", 3, 0, 6)
		time.Sleep(2 * time.Minute)
		m.load("a", 0, 1, 6)
		m.load("b", 3, 0, 6)
		time.Sleep(2 * time.Minute)
		m.is("a ready, b stopped")
		m.load("a", 0, 0, 0)
		time.Sleep(30 * time.Second)
		m.is("a stopped, b starting")
		m.load("a", 1, 0, 5) // hardly more urgent
		time.Sleep(5 * time.Minute)
		m.is("a stopped, b ready")
		if why := m.Models()[0].Error; !strings.Contains(why, "needed for other models") {
			m.Errorf("a waits, for %q", why)
		}
	})
}

func TestALessUrgentServerGoesWhenWhatRunsHasEnded(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.load("a", 3, 4, 20)
		time.Sleep(20 * time.Minute)
		m.load("b", 3, 0, 1)
		time.Sleep(time.Minute)
		m.is("a stopping, b stopped")
		if m.of("a") == nil || m.Ready()["pool-a"]() {
			m.Error("it is gone in the middle of its work, or gets more")
		}
		m.load("a", 3, 0, 20)
		time.Sleep(10 * time.Second)
		m.is("a stopped, b starting")
	})
}

func TestWhatRunsIsHandedBackWhereItTakesTooLong(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.load("a", 3, 4, 20)
		time.Sleep(20 * time.Minute)
		m.load("b", 3, 0, 1)
		time.Sleep(drainLimit + 10*time.Second)
		m.is("a stopped, b starting")
		m.mu.Lock()
		defer m.mu.Unlock()
		if !slices.Equal(m.handed, []string{"pool-a"}) {
			m.Errorf("handed back: %v", m.handed)
		}
	})
}

func TestAServerThatFailsIsTriedAgainEverMoreRarely(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.silence("a", true)
		m.load("a", 3, 0, 6)
		time.Sleep(5 * time.Second)
		for i, delay := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute} {
			if m.of("a") == nil {
				m.Fatalf("start %d is not made", i)
			}
			m.of("a").end("ended with exit status 1")
			synctest.Wait()
			m.is("a failed, b stopped")
			if why := m.Models()[0].Error; !strings.HasPrefix(why, "its server ended with exit status 1 before it was ready, after ") || !strings.HasSuffix(why, "; the last it wrote: CUDA out of memory, ***") {
				m.Errorf("a failed, for %q", why)
			}
			time.Sleep(delay - time.Second)
			if m.of("a") != nil {
				m.Errorf("after failure %d it is tried again before %s have passed", i, delay)
			}
			time.Sleep(3 * time.Second)
		}
		m.silence("a", false)
		time.Sleep(2 * time.Minute)
		m.is("a ready, b stopped")
		m.of("a").end("ended with signal: killed")
		synctest.Wait()
		m.is("a failed, b stopped")
		if m.Ready()["pool-a"]() {
			m.Error("the node still takes its work")
		}
	})
}

func TestWhyAServerFailedIsLoggedOnce(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.mu.Lock()
		m.unfit = true
		m.mu.Unlock()
		m.load("a", 3, 0, 6)
		time.Sleep(time.Hour)
		if why := m.Models()[0].Error; why != "the program serve cannot be started (executable file not found in $PATH); correct `launch`" {
			m.Errorf("a failed, for %q", why)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if n := strings.Count(m.logged.String(), `"level":"warn"`); n != 1 {
			m.Errorf("%d warnings:\n%s", n, m.logged.String())
		}
	})
}

func TestAServerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.silence("a", true)
		m.load("a", 3, 0, 6)
		time.Sleep(10*time.Minute + 4*time.Second)
		m.is("a failed, b stopped")
		if why := m.Models()[0].Error; !strings.HasPrefix(why, "its server did not answer at a within 10m0s; raise start-timeout") || m.of("a") != nil {
			m.Errorf("a failed, for %q", why)
		}
		m.silence("a", false)
		time.Sleep(2 * time.Minute)
		m.is("a ready, b stopped")
		m.silence("a", true)
		time.Sleep(time.Minute)
		m.is("a ready, b stopped")
		time.Sleep(2 * time.Minute)
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.begun["a"]) != 3 {
			m.Errorf("a hung server was started %d times", len(m.begun["a"]))
		}
	})
}

func TestNothingIsStartedWhereSomethingAnswersAlready(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.mu.Lock()
		m.alive["a"] = &process{m: m, name: "a", gone: make(chan struct{})}
		m.mu.Unlock()
		m.load("a", 3, 0, 6)
		time.Sleep(5 * time.Second)
		m.is("a failed, b stopped")
		if why := m.Models()[0].Error; !strings.HasPrefix(why, "something answers at a already") {
			m.Errorf("a failed, for %q", why)
		}
		m.of("a").end("")
	})
}

func TestAHostThatStopsStopsItsServers(t *testing.T) {
	onMachine(t, func(m *machine) {
		m.load("a", 3, 1, 6)
		time.Sleep(2 * time.Minute)
		m.Host.Stop()
		m.is("a stopped, b stopped")
		if m.of("a") != nil || m.Ready()["pool-a"]() {
			m.Error("it is still there")
		}
		m.Host.Stop()
	})
}

func TestAHostThatWasNotStartedStops(t *testing.T) {
	New(Options{Servers: []Server{{Name: "a", Pool: "p"}}}).Stop()
}
