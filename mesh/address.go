package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/hashicorp/memberlist"
)

// ListenFor gives the address of this machine from which the seeds are reached: what a machine listens on that was given
// seeds and nothing else. Without a seed beyond this machine it is 127.0.0.1; where a seed's name cannot be resolved it
// is 0.0.0.0.
func ListenFor(join []string) string {
	host := "127.0.0.1"
	for _, seed := range join {
		conn, err := net.Dial("udp", withPort(seed)) // sends nothing; the kernel chooses the route
		if err != nil {
			host = "0.0.0.0"
			continue
		}
		local := conn.LocalAddr().(*net.UDPAddr)
		_ = conn.Close()
		if !local.IP.IsLoopback() && local.Zone == "" {
			return local.IP.String()
		}
	}
	return host
}

// listen opens TCP and UDP on one port, and settles in mc what we advertise.
func listen(ctx context.Context, cfg Config, mc *memberlist.Config) (*memberlist.NetTransport, error) {
	host, port, err := splitAddress(cfg.Bind)
	if err != nil {
		return nil, err
	}
	ip, err := lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("gossip address %s: %w", cfg.Bind, err)
	}
	tries := 1
	if port == 0 {
		tries = 10 // the kernel picks a port that is free for TCP; UDP may have lost it to somebody
	}
	var t *memberlist.NetTransport
	for range tries {
		t, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{BindAddrs: []string{ip.String()}, BindPort: port, Logger: mc.Logger})
		if err == nil {
			break
		}
	}
	if err != nil {
		return nil, listenError(net.JoinHostPort(ip.String(), strconv.Itoa(port)), err)
	}
	mc.BindAddr, mc.BindPort = ip.String(), t.GetAutoBindPort()
	if mc.AdvertiseAddr, mc.AdvertisePort, err = advertise(ctx, cfg, ip, mc.BindPort); err != nil {
		_ = t.Shutdown()
		return nil, err
	}
	return t, nil
}

func splitAddress(bind string) (string, int, error) {
	host, text, err := net.SplitHostPort(bind)
	if err != nil {
		return "", 0, fmt.Errorf("gossip address %q is not written as host:port, such as 0.0.0.0:%d", bind, DefaultPort)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("gossip address %q: %q is no port", bind, text)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, int(port), nil
}

// advertise gives where others reach us: as configured, or where we listen, or, listening everywhere, the address that
// reaches the seeds, or a private one of this machine.
func advertise(ctx context.Context, cfg Config, ip net.IP, port int) (string, int, error) {
	host := cfg.Advertise
	if h, text, err := net.SplitHostPort(cfg.Advertise); err == nil {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("advertised address %q: %q is no port", cfg.Advertise, text)
		}
		host, port = h, int(n)
	}
	if host != "" {
		found, err := lookup(ctx, host)
		if err != nil {
			return "", 0, fmt.Errorf("advertised address %s: %w", cfg.Advertise, err)
		}
		if found.IsUnspecified() {
			return "", 0, fmt.Errorf("advertised address %s is none that others can reach; name this machine's address", cfg.Advertise)
		}
		return found.String(), port, nil
	}
	if !ip.IsUnspecified() {
		return ip.String(), port, nil
	}
	if out := net.ParseIP(ListenFor(cfg.Join)); !out.IsUnspecified() && !out.IsLoopback() {
		return out.String(), port, nil
	}
	return ownAddress(), port, nil
}

// ownAddress prefers private IPv4, as machines of one orbit mostly share a network; loopback where there is no other.
func ownAddress() string {
	best, rank := "127.0.0.1", 0
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		r := 1
		if n.IP.To4() != nil {
			r = 2
			if n.IP.IsPrivate() {
				r = 3
			}
		}
		if r > rank {
			best, rank = n.IP.String(), r
		}
	}
	return best
}

func lookup(ctx context.Context, host string) (net.IP, error) {
	if ip := net.ParseIP(host); ip != nil {
		return ip, nil
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("the name %s cannot be resolved: %w", host, err)
	}
	for _, ip := range ips {
		if ip.To4() != nil {
			return ip, nil
		}
	}
	return ips[0], nil
}

// listenError finds out what memberlist only has as text: it asks for the same port once more.
func listenError(addr string, err error) error {
	tcp, cause := net.Listen("tcp", addr)
	if cause == nil {
		_ = tcp.Close()
		udp, udpErr := net.ListenPacket("udp", addr)
		if udpErr == nil {
			_ = udp.Close()
		}
		cause = udpErr
	}
	switch {
	case errors.Is(cause, syscall.EADDRINUSE):
		return fmt.Errorf("gossip address %s is in use by another process; choose another with --gossip", addr)
	case errors.Is(cause, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("gossip address %s is not an address of this machine; choose one with --gossip, and use --advertise for the one that others see", addr)
	case cause != nil:
		err = cause
	}
	return fmt.Errorf("gossip cannot listen on %s: %w", addr, err)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
