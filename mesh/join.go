package mesh

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// How hard we look for others. A memberlist seed serves 128 joins at once and drops the rest without an answer, so when
// a whole orbit starts, some must come back, and not all in the same moment.
const (
	startTries  = 4                      // joins while Start waits; the background takes over after that
	startPause  = 500 * time.Millisecond // between them, plus or minus half
	alonePause  = 10 * time.Second       // between searches while nobody is there
	mendPause   = 30 * time.Second       // between attempts to reach those that were lost
	twinPause   = 2 * time.Second        // between joins while the others know our name at another address
	twinTries   = 15                     // such joins: by then a machine that died has been found dead
	seedsWanted = 3                      // seeds joined at once: more than one, in case they do not know each other
)

// errBusy: a seed took the connection and closed it without an answer.
var errBusy = errors.New("the seed closes the connection without an answer")

// joinAtStart asks the seeds. It comes again only where that may help within seconds.
func (m *Mesh) joinAtStart(ctx context.Context) error {
	for try := 1; ; try++ {
		err := m.joinSeeds(ctx)
		m.noteJoin(err)
		if !errors.Is(err, errBusy) || try == startTries || !pause(ctx, startPause) {
			return err
		}
	}
}

// keepJoined looks for seeds while we are alone. Once in company it tries, now and then, to reach those that were lost:
// the halves of an orbit that was cut in two forget each other, and nobody else brings them together.
func (m *Mesh) keepJoined(ctx context.Context) {
	m.outliveTwin(ctx)
	for {
		wait := mendPause
		if m.view.alive() == 0 {
			wait = alonePause
		}
		if !pause(ctx, wait) {
			return
		}
		lost, alive := m.lostAddresses(), m.view.alive()
		if alive == 0 {
			m.noteJoin(m.joinSeeds(ctx))
		}
		// All peers miss the same machines. With these odds one of them tries, not all; each half of a cut tries at once.
		if len(lost) > 0 && rand.Float64() < float64(len(lost))/float64(max(alive, 1)) {
			if err := m.join(ctx, lost[rand.IntN(len(lost))]); err != nil {
				m.cfg.Log.Debug().Err(err).Msg("lost peer still away")
			}
		}
	}
}

// outliveTwin is for a machine that died and is back at another address before the others have noticed: they refuse the
// new address until the old one is found dead, and hear of it again only from us.
func (m *Mesh) outliveTwin(ctx context.Context) {
	for range twinTries {
		if !m.doubled.Swap(false) || !pause(ctx, twinPause) {
			return
		}
		m.noteJoin(m.joinSeeds(ctx))
	}
	m.cfg.Log.Warn().Str("node", m.cfg.Name).Msg("another machine gossips under this name, and hides this one; rename one of them with --name")
}

// lostAddresses gives where machines ought to be that we do not see: seeds, and peers that died.
func (m *Mesh) lostAddresses() (lost []string) {
	seen := map[string]bool{m.Addr(): true}
	for _, p := range m.Peers() {
		switch p.State {
		case Alive:
			seen[p.Address] = true
		case Dead:
			lost = append(lost, p.Address)
		}
	}
	for _, seed := range m.cfg.Join {
		if addr := withPort(seed); !seen[addr] {
			lost = append(lost, addr)
		}
	}
	return lost
}

// noteJoin keeps the outcome for Joined, and tells the operator what is new.
func (m *Mesh) noteJoin(err error) {
	m.joinMu.Lock()
	before := m.joinErr
	m.joinErr = err
	m.joinMu.Unlock()
	if err != nil && (before == nil || errors.Is(err, ErrKey) != errors.Is(before, ErrKey)) {
		m.cfg.Log.Warn().Err(err).Msg("not joined yet; the search goes on")
	}
}

// joinSeeds asks the seeds in random order until enough have answered. It fails where none has, with ErrKey if that is
// any seed's reason.
func (m *Mesh) joinSeeds(ctx context.Context) error {
	var failed error
	joined := 0
	for _, i := range rand.Perm(len(m.cfg.Join)) {
		err := m.join(ctx, withPort(m.cfg.Join[i]))
		if err == nil {
			if joined++; joined == seedsWanted {
				break
			}
		} else if failed == nil || errors.Is(err, ErrKey) {
			failed = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if joined > 0 {
		return nil
	}
	return failed
}

// join exchanges views with the machine at addr. Ourselves count as reached.
func (m *Mesh) join(ctx context.Context, addr string) error {
	if addr == m.Addr() {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%w: %q is not written as host:port", ErrNoSeed, addr)
	}
	hosts := []string{host}
	if net.ParseIP(host) == nil {
		if hosts, err = net.DefaultResolver.LookupHost(ctx, host); err != nil {
			return fmt.Errorf("%w: the name of %s cannot be resolved: %w", ErrNoSeed, addr, err)
		}
	}
	var failed error
	for _, h := range hosts {
		var err error
		calls := m.wire.listenIn(func() { _, err = m.ml.Join([]string{net.JoinHostPort(h, port)}) })
		if err == nil {
			return nil
		}
		if err = m.explain(addr, calls, err); failed == nil || errors.Is(err, ErrKey) {
			failed = err
		}
	}
	return failed
}

// pause waits d, give or take half of it, and reports whether ctx still stands.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// withPort completes a seed that is written without a port.
func withPort(seed string) string {
	if _, _, err := net.SplitHostPort(seed); err == nil {
		return seed
	}
	return net.JoinHostPort(seed, strconv.Itoa(DefaultPort))
}
