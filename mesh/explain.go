package mesh

import "fmt"

// The first byte of a memberlist stream names what follows: encrypted text, or one of its plain messages.
const (
	encryptedMsg = 10
	lastMsg      = 13
)

// explain says why a join failed, from how the seed answered.
//
//	we ╲ the seed   no key                      a key
//	no key          (joins)                     answers encrypted
//	a key           answers in the clear        answers encrypted, which we cannot read
func (m *Mesh) explain(seed string, calls []*call, err error) error {
	m.wire.mu.Lock()
	defer m.wire.mu.Unlock()
	keyed, reached, refused := len(m.cfg.Key) > 0, false, err
	for _, c := range calls {
		switch {
		case c.err != nil:
			refused = c.err
		case c.first == encryptedMsg && keyed:
			return fmt.Errorf("%w: %s has another one; give every machine the same", ErrKey, seed)
		case c.first == encryptedMsg:
			return fmt.Errorf("%w: %s has one and this machine has none; give every machine the same", ErrKey, seed)
		case c.first >= 0 && c.first <= lastMsg && keyed:
			return fmt.Errorf("%w: this machine has one and %s has none; give every machine the same", ErrKey, seed)
		case c.first > lastMsg:
			return fmt.Errorf("%w: what listens at %s does not speak gossip; check --join", ErrNoSeed, seed)
		default:
			reached = true
		}
	}
	if reached {
		return fmt.Errorf("%w: %s: %w", ErrNoSeed, seed, errBusy)
	}
	return fmt.Errorf("%w: %s cannot be reached: %w", ErrNoSeed, seed, refused)
}
