package orbittest

import (
	"errors"
	"net"
	"sync"
)

var (
	errDown = errors.New("the server is down")
	errCut  = errors.New("the cable is cut")
)

// direct connects the harness itself to whatever server runs now.
type direct Orbit

// InProcessConn implements nats.InProcessConnProvider.
func (d *direct) InProcessConn() (net.Conn, error) {
	d.mu.Lock()
	s := d.server
	d.mu.Unlock()
	if s == nil {
		return nil, errDown
	}
	return s.InProcessConn()
}

// link is the cable between one process and the server.
type link struct {
	o *Orbit

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// InProcessConn implements nats.InProcessConnProvider.
func (l *link) InProcessConn() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errCut
	}
	c, err := (*direct)(l.o).InProcessConn()
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

// pull takes the cable out: what is under way in either direction is lost.
func (l *link) pull() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// plug puts the cable back; the process finds out by itself.
func (l *link) plug() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}
