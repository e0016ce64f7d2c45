package meshtest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Transport is one host of a Net.
type Transport struct {
	net     *Net
	addr    string
	udp     *net.UDPAddr
	packets chan *memberlist.Packet
	streams chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

var _ memberlist.Transport = (*Transport)(nil)

func newTransport(n *Net, addr string) *Transport {
	return &Transport{
		net: n, addr: addr, udp: net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)),
		packets: make(chan *memberlist.Packet, 256), // more than that is dropped, as by a socket's buffer
		streams: make(chan net.Conn),
		closed:  make(chan struct{}),
	}
}

// Addr gives the host's "ip:port".
func (t *Transport) Addr() string { return t.addr }

// FinalAdvertiseAddr is part of memberlist.Transport.
func (t *Transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.udp.IP, t.udp.Port, nil
}

// WriteTo sends a packet, or loses it.
func (t *Transport) WriteTo(b []byte, addr string) (time.Time, error) {
	now := time.Now()
	if to := t.net.route(t.addr, addr); to != nil {
		select {
		case to.packets <- &memberlist.Packet{Buf: slices.Clone(b), From: t.udp, Timestamp: now}:
		default:
		}
	}
	return now, nil
}

// PacketCh is part of memberlist.Transport.
func (t *Transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// DialTimeout opens a stream. A host that is cut off looks like one that is not there: refused at once.
func (t *Transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	to := t.net.route(t.addr, addr)
	if to == nil {
		return nil, fmt.Errorf("dial %s: no such host on this network", addr)
	}
	ours, theirs := net.Pipe()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case to.streams <- theirs:
		return ours, nil
	case <-to.closed:
	case <-t.closed:
	case <-timer.C:
	}
	_, _ = ours.Close(), theirs.Close()
	return nil, fmt.Errorf("dial %s: not accepted", addr)
}

// StreamCh is part of memberlist.Transport.
func (t *Transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown takes the host off the network for good; At puts another in its place.
func (t *Transport) Shutdown() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}
