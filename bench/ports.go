package main

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// ports gives addresses on loopback to processes that are to come back where they were. They come from below the range out
// of which the kernel gives ports to outgoing connections: none is taken while its owner is away.
type ports struct{ last int }

const firstPort, lastPort = 20000, 31000

func newPorts() *ports { return &ports{firstPort + os.Getpid()*37%(lastPort-firstPort)} }

// addr gives an address of the host that is free now, for TCP and for UDP.
func (p *ports) addr(host string) (string, error) {
	for range lastPort - firstPort {
		if p.last++; p.last >= lastPort {
			p.last = firstPort
		}
		addr := net.JoinHostPort(host, fmt.Sprint(p.last))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		u, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		_ = u.Close()
		return addr, nil
	}
	return "", errors.New("no port is free")
}
