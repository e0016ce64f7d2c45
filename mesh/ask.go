package mesh

import (
	"net"
	"time"
)

// Name gives our name.
func (m *Mesh) Name() string { return m.cfg.Name }

// Died tells since when a machine is taken for dead, by our clock. One that said goodbye, that lives or that is not known
// is not.
func (m *Mesh) Died(name string) (since time.Time, dead bool) {
	m.view.mu.Lock()
	defer m.view.mu.Unlock()
	p := m.view.peers[name]
	return p.Since, p.State == Dead
}

// Answers asks a machine directly whether it is there, at the last address that it was seen at, and waits half a second at
// most. It is one packet and so a hint: packets are lost, and a machine may be too busy to answer.
func (m *Mesh) Answers(name string) bool {
	m.view.mu.Lock()
	address := m.view.peers[name].Address
	m.view.mu.Unlock()
	at, err := net.ResolveUDPAddr("udp", address)
	if address == "" || err != nil {
		return false
	}
	_, err = m.ml.Ping(name, at)
	return err == nil
}
