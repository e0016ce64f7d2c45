// Package streams is all that Orbit does with JetStream streams and core NATS subjects: the embedded server, the names,
// the work queues, the ledger of records, and the commit of a bundle.
//
//	Publish ─► orbit.work.… ─► Puller ─► Delivery ─(node runs it)─► Committer: record ─► children ─► ack
//	                                                                             │
//	                                                  Ledger.Read ◄──────────────┘ (the gateway folds)
//
// It knows subjects and bytes. It refuses to know plans, satellites and buckets; those are cluster, satellite and kv.
package streams

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
)

// Every stream and subject of Orbit. <p> is the partition of a run, hash(run) mod P; P = 1 on the embedded server.
//
//	stream ORBIT_<p>      workqueue, file, discard new, no age, no rollup: all that a transition writes
//	  orbit.work.<class>.<pool>.<tier>.<p>.<run>   a bundle to do; durable consumer <class>_<pool>_<tier>
//	  orbit.record.<p>.<run>.<bundle>              its write-once result; no consumer, so it stays
//	  orbit.parked.<p>.<run>                       bundles of a paused run
//	  orbit.dead.<p>.<run>.<bundle>                what could not be decoded; start marks (….<n>)
//	stream ORBIT_LATER    workqueue, file, schedules: written by gateways only, for schedules force rollup on
//	  orbit.later.<p>.<run>.<bundle>               a bundle to publish at its time
//	  orbit.due.<p>.<run>.<bundle>                 the same, once its time has come; consumer due_<p>
//	stream ORBIT_LOGS     limits, file, discard old, for a week: nothing depends on it
//	  orbit.logs.<p>.<run>                         log records of one execution of a bundle, as JSON
//
//	core NATS, lossy, no state depends on them:
//	  orbit.hint.<p>          what was stored in this partition, for its leader
//	  orbit.cast              gateways tell all nodes: a run was cancelled, queues were made; a keeper tells gateways: a node has died
//	  orbit.node.<name>       a node's heartbeat, answered with the queues there are
//	  orbit.holds.<name>      what other nodes hold, told to this keeper; an empty message looks whether anybody listens
//	  orbit.permit.<p>        a node asks the leader whether an attempt may begin
//	  orbit.ask.secrets       a node asks for the secrets of a bundle it holds
//	  orbit.ask.held          a gateway asks all nodes what they hold, when one has died
//	  orbit.ask.keys          a gateway asks all gateways whether they have a master key
//	  orbit.api.<verb>        the gateway's micro service
const (
	LaterStream = "ORBIT_LATER"
	LogsStream  = "ORBIT_LOGS"

	CastSubject    = "orbit.cast"
	NodeSubjects   = "orbit.node.*"
	SecretsSubject = "orbit.ask.secrets"
	KeysSubject    = "orbit.ask.keys"
	HeldSubject    = "orbit.ask.held"
)

// Headers of a work message: what the nats CLI should show, and what a node needs before it decodes.
const (
	HeaderRun      = "Orbit-Run"
	HeaderStep     = "Orbit-Step"
	HeaderItems    = "Orbit-Items"
	HeaderDeadline = "Orbit-Deadline" // RFC 3339
	HeaderAttempt  = "Orbit-Attempt"  // of the first item, from 1
)

// Queue names a group of bundles that one consumer serves.
type Queue struct {
	Class string `json:"class"`
	Pool  string `json:"pool"`
	Tier  string `json:"tier"`
}

// Consumer is the name of the durable consumer of the queue.
func (q Queue) Consumer() string { return q.Class + "_" + q.Pool + "_" + q.Tier }

// Filter is the subject that holds all work of the queue in a partition.
func (q Queue) Filter(p int) string {
	return "orbit.work." + q.Class + "." + q.Pool + "." + q.Tier + "." + strconv.Itoa(p) + ".>"
}

// QueuesOf are the queues of a class and pool, one a tier.
func QueuesOf(class, pool string) []Queue {
	qs := make([]Queue, len(orbit.Tiers))
	for i, t := range orbit.Tiers {
		qs[i] = Queue{class, pool, t.Name}
	}
	return qs
}

// QueueOf reads the queue and the run off the subject of a bundle.
func QueueOf(subject string) (q Queue, run string, ok bool) {
	q, _, run, ok = queueOf(subject)
	return q, run, ok
}

// StreamName is the stream of a partition.
func StreamName(p int) string { return "ORBIT_" + strconv.Itoa(p) }

// Partition is where a run lives, of the given number of partitions.
func Partition(run string, partitions int) int {
	if partitions <= 1 {
		return 0
	}
	h := uint32(2166136261) // FNV-1a: stable over versions and machines
	for i := range len(run) {
		h = (h ^ uint32(run[i])) * 16777619
	}
	return int(h % uint32(partitions))
}

// WorkSubject is where a bundle waits.
func WorkSubject(q Queue, p int, run string) string {
	return "orbit.work." + q.Class + "." + q.Pool + "." + q.Tier + "." + strconv.Itoa(p) + "." + run
}

// RecordSubject is where the record of a bundle lies.
func RecordSubject(p int, run, bundle string) string {
	return "orbit.record." + strconv.Itoa(p) + "." + run + "." + bundle
}

// RecordsOf holds all records of a run; with run ">" those of the partition.
func RecordsOf(p int, run string) string {
	if run == ">" {
		return "orbit.record." + strconv.Itoa(p) + ".>"
	}
	return "orbit.record." + strconv.Itoa(p) + "." + run + ".>"
}

// ParkedSubject is where the bundles of a paused run wait.
func ParkedSubject(p int, run string) string { return "orbit.parked." + strconv.Itoa(p) + "." + run }

// DeadSubject is where a message goes that could not be decoded.
func DeadSubject(p int, run, bundle string) string {
	return fmt.Sprintf("orbit.dead.%d.%s.%s", p, run, bundle)
}

// StartMarkSubject is where the n-th start of a suspicious bundle is marked.
func StartMarkSubject(p int, run, bundle string, n int) string {
	return fmt.Sprintf("orbit.dead.%d.%s.%s.%d", p, run, bundle, n)
}

// LaterSubject is where a bundle waits for its time, DueSubject where it comes out.
func LaterSubject(p int, run, bundle string) string {
	return fmt.Sprintf("orbit.later.%d.%s.%s", p, run, bundle)
}

// DueSubject is where a scheduled bundle comes out at its time.
func DueSubject(p int, run, bundle string) string {
	return fmt.Sprintf("orbit.due.%d.%s.%s", p, run, bundle)
}

// LogsSubject is where the log of a run lies.
func LogsSubject(p int, run string) string { return "orbit.logs." + strconv.Itoa(p) + "." + run }

// HintSubject is where the leader of a partition is told of what was stored.
func HintSubject(p int) string { return "orbit.hint." + strconv.Itoa(p) }

// HoldsSubject is where a machine hears, as a keeper, what others hold.
func HoldsSubject(name string) string { return "orbit.holds." + wordOf(name) }

// wordOf makes one word of a subject of a machine's name, which may hold anything.
func wordOf(name string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || strings.ContainsRune(".*>", c) {
			return '_'
		}
		return c
	}, name)
}

// PermitSubject is where the leader of a partition answers who asks for a permit.
func PermitSubject(p int) string { return "orbit.permit." + strconv.Itoa(p) }

// NodeSubject is a node's heartbeat.
func NodeSubject(name string) string { return "orbit.node." + name }

// queueOf reads a queue, partition and run off a work subject.
func queueOf(subject string) (q Queue, p int, run string, ok bool) {
	var t [8]string
	if split(t[:], subject) != 7 || t[0] != "orbit" || t[1] != "work" {
		return q, 0, "", false
	}
	p, err := strconv.Atoi(t[5])
	return Queue{t[2], t[3], t[4]}, p, t[6], err == nil
}

// split cuts a subject into its words, as far as there is room for them, and gives their number: it makes no garbage, where
// strings.Split does for every message.
func split(words []string, subject string) (n int) {
	for n < len(words) {
		word, rest, more := strings.Cut(subject, ".")
		words[n] = word
		n++
		if !more {
			break
		}
		subject = rest
	}
	return n
}

// queueNamed reads a queue off the name of its consumer. Classes and tiers hold no underscore; a pool may.
func queueNamed(consumer string) (Queue, bool) {
	class, rest, ok := strings.Cut(consumer, "_")
	at := strings.LastIndexByte(rest, '_')
	if !ok || at <= 0 || class == "due" {
		return Queue{}, false
	}
	q := Queue{class, rest[:at], rest[at+1:]}
	for _, t := range orbit.Tiers {
		if t.Name == q.Tier {
			return q, true
		}
	}
	return Queue{}, false
}
