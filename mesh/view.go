package mesh

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// keepGone is how long a machine that went is shown, and one that died is looked for: long enough for a partition to
// mend, short enough that machines with names made for the day do not pile up.
const keepGone = time.Hour

// view is what we know of the others. memberlist reports to it under its own lock, so nothing here calls out or blocks.
type view struct {
	name string // ours
	wake chan struct{}

	mu      sync.Mutex
	peers   map[string]Peer
	leaving map[string]bool   // has said goodbye and is not gone yet
	pending map[string]Change // for OnChange; at most one a peer, so it cannot grow past them
}

func newView(name string) *view {
	return &view{name: name, wake: make(chan struct{}, 1), peers: map[string]Peer{}, leaving: map[string]bool{}, pending: map[string]Change{}}
}

// saw takes in a machine that joined, came back or has new metadata.
func (v *view) saw(n *memberlist.Node, joined bool) {
	if n.Name == v.name {
		return
	}
	role, digest, _ := decodeMeta(n.Meta) // unreadable metadata is a peer without a digest, not a reason to hide it
	v.mu.Lock()
	defer v.mu.Unlock()
	p, change := v.peers[n.Name], Updated
	if joined {
		p.Since, change = time.Now(), Joined
		delete(v.leaving, n.Name)
	}
	p.Name, p.Role, p.Address, p.State, p.Digest = n.Name, role, n.Address(), Alive, digest
	v.peers[n.Name] = p
	if v.pending[n.Name] != Joined {
		v.pending[n.Name] = change
	}
	v.signal()
}

// lost takes in that a machine went.
func (v *view) lost(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p, ok := v.peers[name]; ok {
		v.gone(p, v.leaving[name])
		delete(v.leaving, name)
	}
}

// farewell takes in a goodbye. Packets overtake each other, so the machine may be gone already.
func (v *view) farewell(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch p := v.peers[name]; p.State {
	case Alive:
		v.leaving[name] = true
	case Dead:
		v.gone(p, true)
	}
}

func (v *view) gone(p Peer, goodbye bool) {
	p.State, p.Since, v.pending[p.Name] = Dead, time.Now(), Died
	if goodbye {
		p.State, v.pending[p.Name] = Left, Departed
	}
	v.peers[p.Name] = p
	v.signal()
}

func (v *view) signal() {
	select {
	case v.wake <- struct{}{}:
	default: // a wake-up is waiting already
	}
}

// deliver hands changes to f until ctx ends. It is the one goroutine that calls it.
func (v *view) deliver(ctx context.Context, f func(Peer, Change)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.wake:
		}
		v.mu.Lock()
		pending := v.pending
		v.pending = map[string]Change{}
		v.mu.Unlock()
		for _, name := range sortedKeys(pending) {
			v.mu.Lock()
			p := v.peers[name]
			v.mu.Unlock()
			if f != nil && ctx.Err() == nil {
				f(p, pending[name])
			}
		}
	}
}

// snapshot gives the peers by name, and forgets those that went long ago.
func (v *view) snapshot(now time.Time) []Peer {
	v.mu.Lock()
	defer v.mu.Unlock()
	peers := make([]Peer, 0, len(v.peers))
	for name, p := range v.peers {
		if p.State != Alive && now.Sub(p.Since) > keepGone && v.pending[name] == "" {
			delete(v.peers, name)
			continue
		}
		peers = append(peers, p)
	}
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
	return peers
}

// alive counts the others that live.
func (v *view) alive() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.peers {
		if p.State == Alive {
			n++
		}
	}
	return n
}

func sortedKeys(m map[string]Change) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
