package files

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

const (
	// maxIdle is how many connections to one server are kept for the next file: as many as a node reads side by side.
	maxIdle = 8
	// idleLimit is how long one is kept. Servers close it themselves after some minutes.
	idleLimit = 30 * time.Second
	// handshakeLimit bounds the time from the first byte to the end of the login.
	handshakeLimit = 20 * time.Second
)

// session is a connection to a server that is logged in and serves one caller at a time.
type session interface {
	alive() bool // asks the server
	close()      // at any time, more than once
}

// sessions keeps the connections to one server between uses. A connection belongs to the caller from take to give.
type sessions[S session] struct {
	dial func(context.Context) (S, error)

	mu   sync.Mutex
	idle []*kept[S]
	left bool // nothing is kept any more
}

type kept[S session] struct {
	session S
	timer   *time.Timer
}

// take gives a connection that was just alive.
func (p *sessions[S]) take(ctx context.Context) (S, error) {
	for {
		k := p.pop()
		if k == nil {
			return p.dial(ctx)
		}
		stop := context.AfterFunc(ctx, k.session.close)
		alive := k.session.alive()
		if stop() && alive {
			return k.session, nil
		}
		k.session.close()
	}
}

func (p *sessions[S]) pop() *kept[S] {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		k := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if k.timer.Stop() {
			return k
		}
	}
	return nil
}

// give takes a connection back that is in order.
func (p *sessions[S]) give(s S) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left || len(p.idle) == maxIdle {
		go s.close() // it may wait for the server
		return
	}
	p.idle = append(p.idle, &kept[S]{s, time.AfterFunc(idleLimit, s.close)}) // pop passes by one that has fired
}

// leave implements what the cache of stores closes: idle connections now, the others when they are given back.
func (p *sessions[S]) leave() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.left = nil, true
	p.mu.Unlock()
	for _, k := range idle {
		k.timer.Stop()
		k.session.close()
	}
}

// use runs do with a connection, which is closed when ctx ends, so that do returns soon after. It is kept where broken
// says that do's error was none of the connection's.
func (p *sessions[S]) use(ctx context.Context, broken func(error) bool, do func(S) error) error {
	s, err := p.take(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, s.close)
	err = do(s)
	if !stop() || broken(err) {
		s.close()
		return err
	}
	p.give(s)
	return err
}

// borrowed is the body of a file together with the connection that it comes by.
type borrowed struct {
	body  io.ReadCloser
	fault func(error) error
	done  func(error) // gives the connection back; what went wrong by it
	broke error       // of reading
}

// Read implements io.Reader.
func (b *borrowed) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.broke = err
		err = b.fault(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *borrowed) Close() error {
	if b.done == nil {
		return nil
	}
	err := b.body.Close()
	b.done(errors.Join(b.broke, err))
	b.done = nil
	return nil // all has been read that was wanted
}
