package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// kind is what is done to the mesh.
type kind string

// The kinds of faults.
const (
	kill           kind = "kill -9"         // and start again
	pause          kind = "pause"           // SIGSTOP, SIGCONT
	stutter        kind = "stutter"         // stopped for most of each quarter of a second: alive and of little use
	partition      kind = "partition"       // nothing passes, either way
	oneWay         kind = "one-way"         // what it sends is lost, or what is sent to it
	loss           kind = "packet loss"     // a part of all packets, both ways
	diskFull       kind = "disk full"       // not a byte is left where a server stores
	slowSync       kind = "slow fsync"      // each takes a fraction of a second
	removeConsumer kind = "remove consumer" // a queue's, through the NATS API
	rolling        kind = "rolling restart" // SIGTERM to one after the other, until all were restarted
)

// kinds in the order of the report.
var kinds = []kind{kill, pause, stutter, partition, oneWay, loss, diskFull, slowSync, removeConsumer, rolling}

// fault is one thing that is done, from the beginning of the load.
type fault struct {
	Lane   string        `json:"lane"`
	Kind   kind          `json:"kind"`
	Target string        `json:"target"`           // a process; of removeConsumer the queue; of rolling all
	Peer   string        `json:"peer,omitempty"`   // of faults of the wire: the other side; empty: everyone
	Inward bool          `json:"inward,omitempty"` // of oneWay: what is sent to the target is lost
	Part   float64       `json:"part,omitempty"`   // of loss
	At     time.Duration `json:"at"`
	For    time.Duration `json:"for"`
}

func (f fault) String() string {
	s := fmt.Sprintf("%7.1fs  %-15s %s", f.At.Seconds(), f.Kind, f.Target)
	switch {
	case f.Kind == oneWay && f.Inward:
		s += ", what is sent to it"
	case f.Kind == oneWay:
		s += ", what it sends"
	case f.Kind == loss:
		s += fmt.Sprintf(", %.0f %%", 100*f.Part)
	}
	if f.Peer != "" {
		s += ", towards " + f.Peer
	}
	return s + fmt.Sprintf(", for %.1fs", f.For.Seconds())
}

// The processes of the mesh.
var (
	servers  = []string{"nats-1", "nats-2", "nats-3"}
	gateways = []string{"gateway-1", "gateway-2"}
	nodes    = []string{"node-1", "node-2", "node-3", "node-4"}
)

// The servers that are not like the others: one syncs every write, one stores on a small disk.
const (
	syncing = "nats-2"
	cramped = "nats-3"
)

// removable is the queue whose consumer is removed: that of one cluster of the load, so that the others go on while the
// watchdog has not noticed.
const removable = "cpu_core_3h"

// lane is a group of targets to which one thing happens at a time. That of the servers is why two of them are never down at
// once, so that there is always a quorum.
type lane struct {
	name    string
	targets []string
	peers   []string // of faults of the wire, besides everyone
	kinds   []kind
	gap     [2]time.Duration // rest between two faults
	begins  time.Duration
	lasts   [2]time.Duration // but for those that have a length of their own
}

// forgotten is how long a node is away that must find its work done by others: longer than the lease of what it holds.
var forgotten = [2]time.Duration{33 * time.Second, 42 * time.Second}

var lanes = []lane{
	{"servers", servers, append(slices.Clone(gateways), nodes...), []kind{kill, pause, partition, diskFull, oneWay, slowSync, loss, stutter},
		[2]time.Duration{8 * time.Second, 14 * time.Second}, 4 * time.Second, [2]time.Duration{2 * time.Second, 14 * time.Second}},
	{"gateways", gateways, servers, []kind{kill, kill, pause, partition, oneWay, loss},
		[2]time.Duration{4 * time.Second, 10 * time.Second}, 2 * time.Second, [2]time.Duration{2 * time.Second, 16 * time.Second}},
	{"nodes", nodes[:3], servers, []kind{kill, kill, pause, partition, oneWay, loss},
		[2]time.Duration{1 * time.Second, 6 * time.Second}, time.Second, [2]time.Duration{2 * time.Second, 14 * time.Second}},
	{"sleeper", nodes[3:], nil, []kind{pause, partition, oneWay}, [2]time.Duration{3 * time.Second, 8 * time.Second}, 2 * time.Second, forgotten},
}

// Rolling restarts need about this long; a run that is shorter than rollingFrom has none.
const rollingTakes, rollingFrom = 25 * time.Second, 100 * time.Second

// calm is the end of the load, in which no fault begins or lasts.
const calm = 8 * time.Second

// draw gives the schedule of a seed: the same on every machine, whatever that allows.
func draw(seed uint64, length time.Duration) []fault {
	var all []fault
	end := length - calm
	for at := length / 2; length >= rollingFrom && at+rollingTakes <= end; at += 5 * time.Minute {
		all = append(all, fault{Lane: "all", Kind: rolling, Target: "all", At: at, For: rollingTakes})
	}
	rolls := slices.Clone(all)
	for i, l := range lanes {
		r := rand.New(rand.NewPCG(seed, uint64(100+i)))
		between := func(lo, hi time.Duration) time.Duration {
			return (lo + time.Duration(r.Int64N(int64(hi-lo)+1))).Round(100 * time.Millisecond)
		}
		var deck []kind // dealt to its end before it is shuffled anew, so that a short run has all kinds
		for at := l.begins + between(0, l.gap[0]); ; {
			if len(deck) == 0 {
				deck = slices.Clone(l.kinds)
				r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
			}
			f := fault{Lane: l.name, Kind: deck[0], Target: l.targets[r.IntN(len(l.targets))], At: at}
			deck = deck[1:]
			switch f.Kind {
			case kill:
				f.For = between(500*time.Millisecond, 6*time.Second)
			case diskFull:
				f.Target, f.For = cramped, between(6*time.Second, l.lasts[1])
			case slowSync:
				f.Target, f.For = syncing, between(6*time.Second, l.lasts[1])
			default:
				f.For = between(l.lasts[0], l.lasts[1])
			}
			if f.Kind == partition || f.Kind == oneWay || f.Kind == loss {
				if len(l.peers) > 0 && r.IntN(3) == 0 {
					f.Peer = l.peers[r.IntN(len(l.peers))]
				}
				f.Inward = f.Kind == oneWay && r.IntN(2) == 0
				if f.Kind == loss {
					f.Part = float64(5+r.IntN(30)) / 100
				}
			}
			for _, roll := range rolls { // which wants all others to be over
				if f.At < roll.At+roll.For && f.At+f.For > roll.At {
					f.At = roll.At + roll.For + between(0, l.gap[0])
				}
			}
			if f.At+f.For > end {
				break
			}
			all = append(all, f)
			at = f.At + f.For + between(l.gap[0], l.gap[1])
		}
	}
	r := rand.New(rand.NewPCG(seed, 200))
	for at := 6*time.Second + time.Duration(r.Int64N(int64(10*time.Second))).Round(100*time.Millisecond); at+time.Second <= end; at += 45 * time.Second {
		all = append(all, fault{Lane: "mesh", Kind: removeConsumer, Target: removable, At: at})
	}
	slices.SortStableFunc(all, func(a, b fault) int { return cmp.Compare(a.At, b.At) })
	return all
}
