package mesh

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// wire is a transport that notes how the other end of each connection answers, and can hang up on all of them.
// memberlist reports a failed join as text only; what the other end sent tells a wrong key from a busy or absent seed.
type wire struct {
	memberlist.Transport
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	open  map[*call]struct{}
	calls []*call // since listenIn; nil while nobody listens
}

// call is one connection that we opened, or tried to.
type call struct {
	net.Conn
	wire  *wire
	addr  string
	err   error // of dialling
	first int   // the first byte of the answer, -1 before it came; guarded by wire.mu
}

func newWire(t memberlist.Transport) *wire {
	ctx, cancel := context.WithCancel(context.Background())
	return &wire{Transport: t, ctx: ctx, cancel: cancel, open: map[*call]struct{}{}}
}

// DialTimeout is memberlist's way to open a connection.
func (w *wire) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	c := &call{wire: w, addr: addr, first: -1}
	if _, tcp := w.Transport.(*memberlist.NetTransport); tcp {
		dialer := net.Dialer{Timeout: timeout}
		c.Conn, c.err = dialer.DialContext(w.ctx, "tcp", addr) // as the transport does, but Stop can interrupt it
	} else {
		c.Conn, c.err = w.Transport.DialTimeout(addr, timeout)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls != nil {
		w.calls = append(w.calls, c)
	}
	if c.err != nil {
		return nil, c.err
	}
	if w.ctx.Err() != nil {
		_ = c.Conn.Close()
		return nil, net.ErrClosed
	}
	w.open[c] = struct{}{}
	return c, nil
}

func (c *call) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.wire.mu.Lock()
		if c.first < 0 {
			c.first = int(p[0])
		}
		c.wire.mu.Unlock()
	}
	return n, err
}

func (c *call) Close() error {
	c.wire.mu.Lock()
	delete(c.wire.open, c)
	c.wire.mu.Unlock()
	return c.Conn.Close()
}

// listenIn notes the calls made while f runs. One at a time.
func (w *wire) listenIn(f func()) []*call {
	w.mu.Lock()
	w.calls = []*call{}
	w.mu.Unlock()
	f()
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

// hangUp breaks all connections that we opened and opens no more.
func (w *wire) hangUp() {
	w.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Conn.Close()
	}
}

// Shutdown closes the transport as well.
func (w *wire) Shutdown() error {
	w.hangUp()
	return w.Transport.Shutdown()
}
