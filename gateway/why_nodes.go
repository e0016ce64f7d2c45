package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/streams"
)

// able gives the nodes that may take work of a step's class, and those of them that host its pool.
func (w *whyTeller) able(s *cluster.Step) (able, hosting []orbit.NodeDoc) {
	if known, ok := w.ables[s.Identifier]; ok {
		return known[0], known[1]
	}
	defer func() { w.ables[s.Identifier] = [2][]orbit.NodeDoc{able, hosting} }()
	for _, n := range w.nodes {
		if n.State != "alive" && n.State != "suspect" {
			continue
		}
		hosts := placement.Takes(nil, n.Pools, s.Class, s.Pool) // a model, whatever the class
		if !hosts && !w.takes(n, s.Class) {
			continue
		}
		able = append(able, n)
		if hosts || slices.Contains(n.Pools, s.Pool) {
			hosting = append(hosting, n)
		}
	}
	return able, hosting
}

func (w *whyTeller) takes(n orbit.NodeDoc, class string) bool {
	return n.Class == class || slices.Contains(placement.Serves(n.Class, w.g.opts.Classes), class) ||
		hardwareOf(n).Cores > 0 && slices.Contains(placement.ClassesOf(hardwareOf(n), w.g.opts.Classes), class)
}

func hardwareOf(n orbit.NodeDoc) orbit.Hardware {
	return orbit.Hardware{Cores: n.CPU.Cores, Memory: n.Memory, GPUs: n.GPUs}
}

// noModel tells that no machine has a step's model.
func (w *whyTeller) noModel(s *cluster.Step) (reason, hint string) {
	return fmt.Sprintf("no node hosts the pool %s, which %s needs", s.Pool, s.Uses),
		fmt.Sprintf("name an OpenAI-compatible endpoint that has the model in a node's configuration, under `models:`, as %s: {url: http://HOST:8000/v1}; the node needs no GPU for that", s.Uses)
}

// noNode tells that no machine is of a step's class, and how near the nearest comes.
func (w *whyTeller) noNode(s *cluster.Step) (reason, hint string) {
	if orbit.IsModelPool(s.Pool) && len(w.nodes) > 0 {
		return w.noModel(s)
	}
	reason = fmt.Sprintf("no node is of class %s", s.Class)
	at := slices.IndexFunc(w.g.opts.Classes, func(c orbit.Class) bool { return c.Name == s.Class })
	if at < 0 {
		return reason, fmt.Sprintf("the gateway does not know the class %s either; start it with the classes that the cluster was compiled for", s.Class)
	}
	class := w.g.opts.Classes[at]
	hint = "start `orbit-node` on a machine" + needs(class)
	var nearest orbit.NodeDoc
	var lacks []placement.Reason
	for _, n := range w.nodes {
		switch {
		case n.State == "draining" && w.takes(n, s.Class):
			return reason + fmt.Sprintf("; %s is, and takes no work any more, for it is being stopped", n.Name), hint
		case n.State != "alive" && n.State != "suspect" || n.CPU.Cores == 0: // or known by gossip alone
			continue
		}
		if why := placement.Unmet(hardwareOf(n), class); nearest.Name == "" || len(why) < len(lacks) {
			nearest, lacks = n, why
		}
	}
	if nearest.Name == "" {
		return reason + "; no node is alive at all", hint
	}
	texts := make([]string, len(lacks))
	for i, l := range lacks {
		texts[i] = l.Text
	}
	return reason + fmt.Sprintf("; the nearest, %s of class %s, %s", nearest.Name, nearest.Class, strings.Join(texts, " and ")), hint
}

// needs says what a machine of a class has, " with 16 cores and 64GiB of memory".
func needs(c orbit.Class) string {
	var parts []string
	if c.GPUMemory > 0 {
		parts = append(parts, fmt.Sprintf("a GPU of %s", c.GPUMemory))
	}
	if c.Cores > 0 {
		parts = append(parts, plural(c.Cores, "core"))
	}
	if c.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%s of memory", c.Memory))
	}
	if len(parts) == 0 {
		return ""
	}
	last := len(parts) - 1
	return " with " + strings.Join(append(parts[:max(last-1, 0)], strings.Join(parts[max(last-1, 0):], " and ")), ", ")
}

// noPool tells that the machines of a step's class do not host what its satellite needs.
func (w *whyTeller) noPool(s *cluster.Step) (reason, hint string) {
	if orbit.IsModelPool(s.Pool) {
		return w.noModel(s)
	}
	able, _ := w.able(s)
	names := make([]string, 0, maxNamed)
	for _, n := range able[:min(len(able), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%s)", n.Name, strings.Join(n.Pools, ", ")))
	}
	return fmt.Sprintf("no node of class %s hosts the pool %s, which %s needs; nodes of the class are, with what they host: %s", s.Class, s.Pool, s.Uses, strings.Join(names, ", ")),
		fmt.Sprintf("start a node that hosts the pool %s; `orbit nodes` lists what each hosts", s.Pool)
}

// queued tells what comes before a bundle in its queue.
func (w *whyTeller) queued(s *cluster.Step) (reason, hint string, err error) {
	_, hosting := w.able(s)
	slots, busy := 0, 0
	for _, n := range hosting {
		slots, busy = slots+n.Slots.Total, busy+n.Slots.Busy
	}
	hint = fmt.Sprintf("%s with %s take from this queue, %d busy; another node of class %s makes it shorter", plural(len(hosting), "node"), plural(slots, "slot"), busy, s.Class)
	q, ok, err := w.queueOf(s)
	if err != nil {
		return "", "", err
	}
	if !ok {
		return fmt.Sprintf("is on its way into a queue of class %s and pool %s", s.Class, s.Pool), "look again in some seconds; `orbit queues` lists the queues", nil
	}
	info, err := w.g.queueState(w.ctx, q, streams.Partition(w.doc.ID, w.g.topology.Partitions))
	if err != nil {
		return "", "", err
	}
	name := fmt.Sprintf("the queue %s/%s/%s", q.Class, q.Pool, q.Tier)
	switch n := int(info.NumPending); {
	case n == 0:
		return "is being handed to a node, from " + name, "look again in some seconds; a node that was lost with it gives it up after " + short(streams.AckWait), nil
	case n == 1:
		return "is next in " + name, hint, nil
	default:
		reason = fmt.Sprintf("waits in %s behind %s at most", name, plural(n-1, "bundle"))
		if p := w.pace[s.Class+" "+s.Pool]; p.bundles > 0 && p.took > 0 && slots > 0 {
			each := p.took / time.Duration(p.bundles)
			reason += fmt.Sprintf(", about %s at the pace of this run", short(each*time.Duration(n-1)/time.Duration(slots)))
		}
		return reason, hint, nil
	}
}

// queueOf finds the queue that holds work of the run for a step's class and pool: the most urgent, where several do.
func (w *whyTeller) queueOf(s *cluster.Step) (q streams.Queue, ok bool, err error) {
	p := streams.Partition(w.doc.ID, w.g.topology.Partitions)
	js, err := w.g.js.Stream(w.ctx, streams.StreamName(p))
	if err != nil {
		return q, false, err
	}
	info, err := js.Info(w.ctx, jetstream.WithSubjectFilter(streams.WorkSubject(streams.Queue{Class: s.Class, Pool: s.Pool, Tier: "*"}, p, w.doc.ID)))
	if err != nil {
		return q, false, err
	}
	for _, q := range streams.QueuesOf(s.Class, s.Pool) {
		if info.State.Subjects[streams.WorkSubject(q, p, w.doc.ID)] > 0 {
			return q, true, nil
		}
	}
	return q, false, nil
}
