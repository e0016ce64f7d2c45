package streams

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

const (
	// HoldsAgain is how often a node that holds something says so, though nothing has changed.
	HoldsAgain = 2 * time.Second
	// holdsSilence is how long a living node is silent at most: HoldsAgain, and something for a busy machine.
	holdsSilence = HoldsAgain + time.Second
	// keeperLook is the time between two looks at those whose lists are kept.
	keeperLook = 500 * time.Millisecond
	// absentLooks is how often in a row nobody must listen for a node, before it is asked whether it lives. A client that
	// lost its connection is back in a second or so.
	absentLooks = 2
	// keeperTurn is how much later the second keeper acts than the first: unless it hears before that all is done.
	keeperTurn = time.Second
	// maxKept bounds the lists that are kept: each node has two keepers, so a keeper has two lists or so.
	maxKept = 256
	// keptLife is how long a list is of use: after it, all its leases have ended.
	keptLife = AckWait
)

// Witness is what gossip says of the machines: a hint.
type Witness interface {
	// Name is ours.
	Name() string
	// Died tells since when a machine is taken for dead. One that said goodbye is not.
	Died(name string) (since time.Time, dead bool)
	// Answers asks a machine directly whether it is there. It may take a second.
	Answers(name string) bool
}

// Keeper keeps for other nodes the lists of what they hold, and hands it back when such a node has died, so that it need not
// wait for AckWait. A node has died
//
//   - when the server says that nobody listens under its name, twice, and the node does not answer gossip either: what is
//     left of a process that was killed, a second or two later;
//   - when gossip has given it up, and it has told nothing since: a machine without power, after some six seconds;
//   - when a later life of it speaks: it was started again under its name.
//
// All of this is a hint. Of a node that lives all the same, cut off from everybody, bundles run twice, and the first record
// of each counts. What relies on its lease alone, the bundles of steps with a limit on concurrency, is in no list: it waits
// for AckWait, by which time a holder that is cut off has stopped.
//
// A NAK takes the lease of whoever has it, for the server does not look whether it is of an earlier delivery. So each list is
// acted on once, by one keeper, if it can be had: the others are told, and wait for that.
type Keeper struct {
	nc      *nats.Conn
	witness Witness
	log     zerolog.Logger
	inbox   string
	subs    []*nats.Subscription
	stop    chan struct{}
	once    sync.Once
	done    chan struct{}

	mu   sync.Mutex
	kept map[life]*kept
}

type life struct {
	node string
	life uint64
}

type kept struct {
	Holds
	heard  time.Time
	asked  bool // by an empty message, at the last look
	none   bool // nobody listened to it
	absent int  // looks in a row that found nobody
	over   bool // a later life speaks
	due    time.Time
}

// NewKeeper begins to keep lists. Stop it before the connection.
func NewKeeper(nc *nats.Conn, w Witness, log zerolog.Logger) (*Keeper, error) {
	k := &Keeper{nc: nc, witness: w, log: log, inbox: nats.NewInbox() + ".", stop: make(chan struct{}), done: make(chan struct{}), kept: map[life]*kept{}}
	for subject, f := range map[string]nats.MsgHandler{HoldsSubject(w.Name()): k.hear, k.inbox + ">": k.nobody} {
		sub, err := nc.Subscribe(subject, f)
		if err != nil {
			return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		k.subs = append(k.subs, sub)
	}
	go k.run()
	return k, nil
}

// Stop ends the keeping. A second call waits too.
func (k *Keeper) Stop() {
	k.once.Do(func() {
		for _, s := range k.subs {
			_ = s.Unsubscribe()
		}
		close(k.stop)
	})
	<-k.done
}

// hear takes a list, which takes the place of the one before it.
func (k *Keeper) hear(m *nats.Msg) {
	if len(m.Data) == 0 { // someone looks whether we listen
		return
	}
	h, err := DecodeHolds(m.Data)
	if err != nil || h.Node == k.witness.Name() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if h.Over {
		delete(k.kept, life{h.Node, h.Life})
		return
	}
	for l, e := range k.kept {
		switch {
		case l.node != h.Node:
		case l.life > h.Life: // late
			return
		case l.life < h.Life:
			e.over = true
		}
	}
	at := life{h.Node, h.Life} // kept without leases too: what it is given while it dies is in no list
	if e := k.kept[at]; e != nil {
		e.Holds, e.heard, e.due = *h, time.Now(), time.Time{}
		return
	}
	if len(k.kept) < maxKept {
		k.kept[at] = &kept{Holds: *h, heard: time.Now()}
	}
}

// nobody hears from the server that a node does not listen.
func (k *Keeper) nobody(m *nats.Msg) {
	if m.Header.Get("Status") != "503" {
		return
	}
	word := strings.TrimPrefix(m.Subject, k.inbox)
	k.mu.Lock()
	defer k.mu.Unlock()
	for l, e := range k.kept {
		if wordOf(l.node) == word {
			e.none = true
		}
	}
}

func (k *Keeper) run() {
	defer close(k.done)
	tick := time.NewTicker(keeperLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.look()
		case <-k.stop:
			return
		}
	}
}

// look finds out who has died, and does what is due for them.
func (k *Keeper) look() {
	connected := k.nc.IsConnected()
	now := time.Now()
	var all, doubted []string
	k.mu.Lock()
	for l, e := range k.kept {
		if now.Sub(e.heard) > keptLife {
			delete(k.kept, l)
			continue
		}
		switch {
		case !connected || !e.asked: // nothing is known
			e.absent = 0
		case e.none:
			e.absent++
		default:
			e.absent = 0
		}
		e.asked, e.none = connected, false
		all = append(all, l.node)
		if e.absent >= absentLooks {
			doubted = append(doubted, l.node)
		}
	}
	k.mu.Unlock()
	if !connected {
		return
	}
	for _, n := range all {
		_ = k.nc.PublishRequest(HoldsSubject(n), k.inbox+wordOf(n), nil) // lost: no answer is no proof of anything
	}
	silent := k.ask(doubted)
	for _, h := range k.dead(silent, time.Now()) {
		k.handBack(h)
	}
}

// ask gives those of the nodes that do not answer gossip.
func (k *Keeper) ask(nodes []string) map[string]bool {
	silent := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			if k.witness.Answers(n) {
				return
			}
			mu.Lock()
			silent[n] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	return silent
}

// dead takes the lists of the dead out of what is kept, as far as it is our turn.
func (k *Keeper) dead(silent map[string]bool, now time.Time) (lists []*Holds) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for l, e := range k.kept {
		gone := e.over || silent[l.node] && e.absent >= absentLooks
		if !gone {
			since, died := k.witness.Died(l.node)
			gone = died && e.heard.Before(since) && now.Sub(e.heard) > holdsSilence
		}
		if !gone {
			e.due = time.Time{}
			continue
		}
		if e.due.IsZero() {
			e.due = now.Add(time.Duration(e.turn(k.witness.Name())) * keeperTurn)
		}
		if now.Before(e.due) {
			continue
		}
		delete(k.kept, l)
		lists = append(lists, &e.Holds)
	}
	return lists
}

// turn is our place among the keepers.
func (h *Holds) turn(name string) int {
	for i, k := range h.Keepers {
		if k == name {
			return i
		}
	}
	return len(h.Keepers)
}

// handBack sends a NAK for everything in a list, and tells the other keepers.
//
// Dying half-way, or before they are told: the next keeper does it once more, and some bundles are delivered twice.
func (k *Keeper) handBack(h *Holds) {
	for _, l := range h.Leases {
		_ = HandBack(k.nc, l) // lost: the lease ends by itself
	}
	over := (&Holds{Node: h.Node, Life: h.Life, Over: true}).Encode()
	for _, name := range h.Keepers {
		if name != k.witness.Name() {
			_ = k.nc.Publish(HoldsSubject(name), over)
		}
	}
	_ = k.nc.Publish(CastSubject, Cast{Kind: CastDied, Node: h.Node}.Encode()) // lost: the gateways hear it from gossip
	k.log.Info().Str("node", h.Node).Int("bundles", len(h.Leases)).Msg("a node has died; what it held is handed back")
}
