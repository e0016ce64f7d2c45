package placement_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// card is a device with so much memory and so much of it free, in GiB.
func card(total, free int) placement.Device {
	return placement.Device{Memory: orbit.Bytes(total) * orbit.GiB, Free: orbit.Bytes(free) * orbit.GiB}
}

// server is one that needs so many GiB of a device, and is stopped; with changes.
func server(name string, memory int, change ...func(*placement.Server)) placement.Server {
	v := placement.Server{Name: name, Memory: orbit.Bytes(memory) * orbit.GiB, Devices: 1, Start: time.Minute, State: placement.Stopped, Since: in(-10 * time.Hour), Idle: in(-10 * time.Hour)}
	for _, f := range change {
		f(&v)
	}
	return v
}

// waits gives a server work that is due after a time, and has waited for a while.
func waits(left time.Duration) func(*placement.Server) {
	return func(v *placement.Server) {
		v.Waiting, v.Waits, v.Idle, v.Deadline = 10, in(-time.Minute), time.Time{}, in(left)
	}
}

// ready is a server that has been ready on devices for a time.
func ready(since time.Duration, on ...int) func(*placement.Server) {
	return func(v *placement.Server) { v.State, v.Since, v.On = placement.Ready, in(-since), on }
}

func state(s placement.ServerState, on ...int) func(*placement.Server) {
	return func(v *placement.Server) { v.State, v.Since, v.On = s, in(-time.Second), on }
}

func change(f func(*placement.Server)) func(*placement.Server) { return f }

func TestSwitchStartsAndStops(t *testing.T) {
	idle := func(d time.Duration) func(*placement.Server) {
		return change(func(v *placement.Server) { v.Idle = in(-d) })
	}
	claims := func(on ...int) func(*placement.Server) {
		return change(func(v *placement.Server) { v.Claim = placement.Claim{On: on, Until: in(time.Second)} })
	}
	devices := func(n int) func(*placement.Server) { return change(func(v *placement.Server) { v.Devices = n }) }
	for _, tc := range []struct {
		name    string
		devices []placement.Device
		servers []placement.Server
		start   string // "a 0, b 1 2"
		stop    string
		why     string // of the first that waits, a part
	}{
		{"nothing waits", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60)}, "", "", ""},
		{"work waits", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60, waits(time.Hour))}, "a 0", "", ""},
		{"for a moment only", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60, waits(time.Hour), func(v *placement.Server) { v.Waits = in(-time.Millisecond) })}, "", "", ""},
		{"without a GPU", nil, []placement.Server{server("a", 0, waits(time.Hour), devices(0))}, "a", "", ""},
		{"no GPU is there", nil, []placement.Server{server("a", 60, waits(time.Hour))}, "", "", "no GPU"},
		{"two fit one device, one after the other", []placement.Device{card(80, 80)}, []placement.Server{server("a", 30, waits(2*time.Hour)), server("b", 30, waits(time.Hour))}, "b 0", "", "needed for other models"},
		{"a device each", []placement.Device{card(80, 80), card(80, 80)}, []placement.Server{server("a", 60, waits(2*time.Hour)), server("b", 60, waits(time.Hour))}, "b 0, a 1", "", ""},
		{"never summed over devices", []placement.Device{card(40, 40), card(40, 40)}, []placement.Server{server("a", 60, waits(time.Hour))}, "", "", "0 of 2 have that"},
		{"on two devices", []placement.Device{card(80, 80), card(80, 20), card(80, 80)}, []placement.Server{server("a", 60, waits(time.Hour), devices(2))}, "a 0 2", "", ""},
		{"the device with the least to spare", []placement.Device{card(80, 80), card(24, 24)}, []placement.Server{server("a", 20, waits(time.Hour))}, "a 1", "", ""},
		{"a foreign program uses it", []placement.Device{card(80, 50)}, []placement.Server{server("a", 60, waits(time.Hour))}, "", "", "it needs 60GiB free on 1 device, and 0 of 1 have that: beside what other programs use there are 50GiB"},
		{"its last start failed", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60, waits(time.Hour), func(v *placement.Server) { v.Retry = in(time.Minute) })}, "", "", "its last start failed"},

		{"an idle one stays while nobody needs the device", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0)), server("b", 60)}, "", "", ""},
		{"an idle one leaves", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(time.Hour, 0), idle(time.Minute)), server("b", 60, waits(time.Hour))}, "", "a", "being stopped"},
		{"not in a lull", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(time.Hour, 0), idle(10*time.Second)), server("b", 60, waits(time.Hour))}, "", "", "needed for other models"},
		{"the one that is idle for longest", []placement.Device{card(80, 20)}, []placement.Server{server("a", 30, ready(9*time.Hour, 0), idle(time.Minute)), server("b", 30, ready(9*time.Hour, 0), idle(time.Hour)), server("c", 40, waits(time.Hour))}, "", "b", ""},
		{"not more than must", []placement.Device{card(80, 0)}, []placement.Server{server("a", 20, ready(9*time.Hour, 0), idle(2*time.Hour)), server("b", 60, ready(9*time.Hour, 0), idle(time.Hour)), server("c", 60, waits(time.Hour))}, "", "b", ""},
		{"an idle one before one at work", []placement.Device{card(80, 20), card(80, 20)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0), waits(9*time.Hour)), server("b", 60, ready(9*time.Hour, 1), idle(time.Hour)), server("c", 60, waits(time.Hour))}, "", "b", ""},
		{"the one at work that has the most time", []placement.Device{card(80, 20), card(80, 20)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0), waits(9*time.Hour)), server("b", 60, ready(9*time.Hour, 1), waits(20*time.Hour)), server("c", 60, waits(time.Hour))}, "", "b", ""},
		{"not one that has hardly more time", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0), waits(61*time.Minute)), server("b", 60, waits(time.Hour))}, "", "", "needed for other models"},
		{"not one that has just come", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(time.Minute, 0), waits(9*time.Hour)), server("b", 60, waits(time.Hour))}, "", "", ""},
		{"whose work is late gets a turn in the end", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(time.Hour, 0), waits(-9*time.Hour)), server("b", 60, waits(-time.Hour))}, "", "a", ""},
		{"not at once", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(20*time.Minute, 0), waits(-9*time.Hour)), server("b", 60, waits(-time.Hour))}, "", "", ""},
		{"one that fails stops nobody in its work for long", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(time.Hour, 0), waits(9*time.Hour)), server("b", 60, waits(time.Hour), func(v *placement.Server) { v.Fails = 3 })}, "", "", ""},
		{"but in the end", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, ready(2*time.Hour, 0), waits(9*time.Hour)), server("b", 60, waits(time.Hour), func(v *placement.Server) { v.Fails = 3 })}, "", "a", ""},
		{"whom stopping would not help stops nobody", []placement.Device{card(80, 10)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0), idle(time.Hour), func(v *placement.Server) { v.Took = 30 * orbit.GiB }), server("b", 60, waits(time.Hour))}, "", "", "beside what other programs use there are 40GiB"},
		{"two leave for one on two devices", []placement.Device{card(80, 20), card(80, 20)}, []placement.Server{server("a", 60, ready(9*time.Hour, 0), idle(time.Hour)), server("b", 60, ready(9*time.Hour, 1), idle(time.Hour)), server("c", 60, waits(time.Hour), devices(2))}, "", "a b", ""},
		{"one on two devices leaves once", []placement.Device{card(80, 20), card(80, 20), card(80, 20)}, []placement.Server{server("a", 60, devices(2), ready(9*time.Hour, 0, 1), idle(time.Hour)), server("b", 60, ready(9*time.Hour, 2), idle(2*time.Hour)), server("c", 60, waits(time.Hour), devices(2))}, "", "a", ""},

		{"what is being stopped is not free", []placement.Device{card(80, 20)}, []placement.Server{server("a", 60, state(placement.Stopping, 0)), server("b", 60, waits(time.Hour), claims(0))}, "", "", "being stopped"},
		{"it is gone", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60, waits(time.Minute)), server("b", 60, waits(time.Hour), claims(0))}, "b 0", "", ""},
		{"and its memory is free soon", []placement.Device{card(80, 20)}, []placement.Server{server("a", 20, waits(time.Minute)), server("b", 60, waits(time.Hour), claims(0))}, "", "", ""},
		{"and a foreign program took the place", []placement.Device{card(80, 40)}, []placement.Server{server("a", 30, waits(time.Minute)), server("b", 60, waits(time.Hour), claims(0), func(v *placement.Server) { v.Claim.Until = noon })}, "a 0", "", ""},
		{"what is starting has its memory though it shows nowhere yet", []placement.Device{card(80, 80)}, []placement.Server{server("a", 60, state(placement.Starting, 0)), server("b", 30, waits(time.Hour))}, "", "", ""},
		{"room is kept for whose work is late", []placement.Device{card(80, 50)}, []placement.Server{server("a", 30, ready(10*time.Minute, 0), waits(-9*time.Hour)), server("b", 60, waits(-time.Hour)), server("c", 30, waits(time.Minute))}, "", "", ""},
		{"and for whom others would have to leave again", []placement.Device{card(80, 50)}, []placement.Server{server("a", 30, ready(time.Minute, 0), waits(9*time.Hour)), server("b", 60, waits(time.Hour)), server("c", 30, waits(9*time.Hour))}, "", "", ""},
		{"else it is used", []placement.Device{card(80, 50)}, []placement.Server{server("a", 30, ready(time.Minute, 0), waits(9*time.Hour)), server("b", 60, waits(time.Hour)), server("c", 30, waits(61*time.Minute))}, "c 0", "", ""},
	} {
		got := placement.Switch(tc.servers, tc.devices, noon)
		var start []string
		for _, s := range got.Start {
			text := s.Name
			for _, d := range s.On {
				text += " " + string(rune('0'+d))
			}
			start = append(start, text)
		}
		if a, b := strings.Join(start, ", "), strings.Join(got.Stop, " "); a != tc.start || b != tc.stop {
			t.Errorf("%s: starts %q and stops %q, want %q and %q", tc.name, a, b, tc.start, tc.stop)
		}
		if why := strings.Join(slices.Collect(maps.Values(got.Waits)), ";"); tc.why != "" && !strings.Contains(why, tc.why) {
			t.Errorf("%s: %q, want %q", tc.name, why, tc.why)
		}
		backwards := slices.Clone(tc.servers)
		slices.Reverse(backwards)
		if d := cmp.Diff(got, placement.Switch(backwards, tc.devices, noon)); d != "" {
			t.Errorf("%s: another order of the servers gives another decision (-this +that):\n%s", tc.name, d)
		}
	}
}

// cards is a machine whose servers are switched, a second at a time.
type cards struct {
	t       *rapid.T
	now     time.Time
	total   []orbit.Bytes
	foreign []orbit.Bytes
	servers []placement.Server
	takes   []time.Duration // to start
	until   []time.Time     // it is ready, or gone
	last    []time.Time     // it was ready, or had no work
	lost    time.Duration   // on starts, of all devices
}

// free is what is measured on a device: servers that start take their memory half-way.
func (c *cards) free(d int) orbit.Bytes {
	free := c.total[d] - c.foreign[d]
	for i := range c.servers {
		v := &c.servers[i]
		if slices.Contains(v.On, d) && !(v.State == placement.Starting && c.until[i].Sub(c.now) > c.takes[i]/2) {
			free -= v.Memory
		}
	}
	return free
}

func (c *cards) second() {
	c.now = c.now.Add(time.Second)
	for i := range c.servers {
		v := &c.servers[i]
		switch {
		case v.State == placement.Starting && !c.now.Before(c.until[i]):
			v.State, v.Since, v.Start = placement.Ready, c.now, c.takes[i]
		case v.State == placement.Stopping && !c.now.Before(c.until[i]):
			v.State, v.Since, v.On = placement.Stopped, c.now, nil
		}
		if v.Waiting == 0 || v.State == placement.Ready {
			c.last[i] = c.now
		}
	}
	devices := make([]placement.Device, len(c.total))
	for d := range devices {
		if devices[d] = (placement.Device{Memory: c.total[d], Free: c.free(d)}); devices[d].Free < 0 {
			c.t.Fatalf("at %s device %d has %s too little: %+v", c.now, d, -devices[d].Free, c.servers)
		}
	}
	asked := slices.Clone(c.servers)
	slices.Reverse(asked[int(c.now.Unix())%len(asked):]) // in any order
	got := placement.Switch(asked, devices, c.now)
	const stopped = "what is stopped"
	touched := map[int]string{}
	touch := func(name string, on []int) {
		for _, d := range on {
			if other, ok := touched[d]; ok && !(name == stopped && other == stopped) {
				c.t.Fatalf("at %s device %d is touched for %s and for %s: %+v\n%+v", c.now, d, other, name, got, asked)
			}
			touched[d] = name
		}
	}
	for i := range c.servers {
		v := &c.servers[i]
		switch v.State {
		case placement.Starting:
			touch(v.Name, v.On)
		case placement.Stopping: // several may leave for one
			touch(stopped, v.On)
		}
		v.Claim = got.Claims[v.Name]
		for _, s := range got.Start {
			if s.Name == v.Name {
				if v.State != placement.Stopped || len(s.On) != v.Devices {
					c.t.Fatalf("%s is %s and is started on %v", v.Name, v.State, s.On)
				}
				touch(v.Name, s.On)
				v.State, v.Since, v.On, c.until[i] = placement.Starting, c.now, s.On, c.now.Add(c.takes[i])
				c.lost += c.takes[i] * time.Duration(v.Devices)
			}
		}
		if slices.Contains(got.Stop, v.Name) {
			if v.State != placement.Ready {
				c.t.Fatalf("%s is %s and is stopped", v.Name, v.State)
			}
			v.State, v.Since, c.until[i] = placement.Stopping, c.now, c.now.Add(3*time.Second)
		}
	}
}

func newCards(t *rapid.T) *cards {
	c := &cards{t: t, now: noon}
	for range rapid.IntRange(1, 3).Draw(t, "devices") {
		c.total = append(c.total, orbit.Bytes(rapid.SampledFrom([]int{24, 80, 141}).Draw(t, "memory"))*orbit.GiB)
		c.foreign = append(c.foreign, 0)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "servers") {
		v := server(string(rune('a'+i)), rapid.SampledFrom([]int{10, 20, 60, 80}).Draw(t, "needs"))
		v.Start = time.Minute // assumed; it may take another time
		v.Devices = rapid.IntRange(1, len(c.total)).Draw(t, "on")
		v.Deadline = in(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(2*time.Hour)).Draw(t, "left")))
		c.servers = append(c.servers, v)
		c.takes = append(c.takes, time.Duration(rapid.IntRange(1, 300).Draw(t, "start"))*time.Second)
		c.until, c.last = append(c.until, time.Time{}), append(c.last, noon)
	}
	return c
}

// fits tells whether a server could run if it were alone.
func (c *cards) fits(v *placement.Server) bool {
	n := 0
	for d := range c.total {
		if c.total[d]-c.foreign[d] >= v.Memory {
			n++
		}
	}
	return n >= v.Devices
}

// Work comes and goes at random, and so do foreign programs where there is room: no device ever has too little.
func TestNothingIsStartedThatDoesNotFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCards(t)
		for range 300 {
			if rapid.IntRange(0, 9).Draw(t, "something happens") == 0 {
				i := rapid.IntRange(0, len(c.servers)-1).Draw(t, "whose")
				v := &c.servers[i]
				if v.Waiting > 0 {
					v.Waiting, v.Idle = 0, c.now
				} else {
					v.Waiting, v.Waits, v.Idle = 5, c.now, time.Time{}
				}
				d := rapid.IntRange(0, len(c.total)-1).Draw(t, "device")
				moving := slices.ContainsFunc(c.servers, func(v placement.Server) bool {
					return v.State == placement.Starting && slices.Contains(v.On, d)
				})
				if most := c.free(d) + c.foreign[d]; !moving { // one that takes what a starting server was promised nobody can help
					c.foreign[d] = orbit.Bytes(rapid.Int64Range(0, int64(most)).Draw(t, "foreign"))
				}
			}
			c.second()
		}
	})
}

// All have work all the time, and it makes headway where it is served: everyone is served again and again, and switching is rare.
func TestNobodyIsForgottenAndSwitchingIsRare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCards(t)
		headway := rapid.SampledFrom([]float64{0, 0.5, 1, 3}).Draw(t, "headway") // of the head's deadline, of a second's work in a second
		for i := range c.servers {
			c.servers[i].Waiting, c.servers[i].Waits, c.servers[i].Idle = 100, noon, time.Time{}
		}
		const hours = 10
		for range hours * 60 {
			const step = time.Minute // a decision every minute is enough here
			for i := range c.servers {
				if v := &c.servers[i]; v.State == placement.Ready {
					v.Deadline = v.Deadline.Add(time.Duration(headway * float64(step)))
				}
			}
			c.now = c.now.Add(step - time.Second)
			c.second()
			for i := range c.servers {
				v := &c.servers[i]
				if late := max(v.Deadline.Sub(noon), 0) + 6*time.Hour; c.fits(v) && c.now.Sub(c.last[i]) > late {
					t.Fatalf("%s has waited for %s", v.Name, c.now.Sub(c.last[i]))
				}
			}
		}
		// Who has work stays for five times what switching costs, so little of the time goes into that.
		if most := hours * time.Duration(len(c.total)) * time.Hour / 3; c.lost > most {
			t.Fatalf("%s of %d hours on %d devices were spent on starts", c.lost, hours, len(c.total))
		}
	})
}
