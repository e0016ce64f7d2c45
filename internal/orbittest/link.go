package orbittest

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
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
	conns []*cable
}

// cable is one connection. Once it is gone, its near end is dead and its far end hears nothing of that.
type cable struct {
	net.Conn
	gone atomic.Bool
}

// Read implements net.Conn.
func (c *cable) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.gone.Load() {
		return n, err
	}
	go func() { _, _ = io.Copy(io.Discard, c.Conn) }() // until the server closes it
	return 0, io.EOF
}

// Write implements net.Conn.
func (c *cable) Write(b []byte) (int, error) {
	if c.gone.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *cable) Close() error {
	if c.gone.Load() {
		return nil
	}
	return c.Conn.Close()
}

// InProcessConn implements nats.InProcessConnProvider.
func (l *link) InProcessConn() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errCut
	}
	conn, err := (*direct)(l.o).InProcessConn()
	if err != nil {
		return nil, err
	}
	c := &cable{Conn: conn}
	l.conns = append(l.conns, c)
	return c, nil
}

// vanish leaves the other end of the cable without a word.
func (l *link) vanish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.conns {
		c.gone.Store(true)
	}
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
