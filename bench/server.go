package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/exospherehost/orbit/streams"
)

// playServer is a NATS server: the one that a gateway embeds, in a process of its own, or one of several that replicate.
func playServer(_ context.Context, f roleFlags) (ready, func(), error) {
	if f.cluster != "" {
		return playMember(f)
	}
	s, err := streams.StartServer(streams.ServerOptions{Name: f.name, Dir: filepath.Clean(f.data), Listen: f.listen, Log: f.logger()})
	if err != nil {
		return ready{}, nil, err
	}
	return ready{NATS: s.URL()}, s.Stop, nil
}

// playMember is one of several servers. It is up when it takes connections; whether they have found one another is for their
// clients to find out. Its settings are those of the embedded server.
func playMember(f roleFlags) (ready, func(), error) {
	host, port, err := hostPort(f.listen)
	if err != nil {
		return ready{}, nil, err
	}
	clusterHost, clusterPort, err := hostPort(f.cluster)
	if err != nil {
		return ready{}, nil, err
	}
	ns, err := server.NewServer(&server.Options{ServerName: f.name, Host: host, Port: port, JetStream: true, StoreDir: filepath.Clean(f.data), NoSigs: true, NoLog: true,
		MaxPayload: streams.MaxPayload, MaxPending: 256 << 20, JetStreamMaxMemory: 64 << 20,
		Cluster: server.ClusterOpts{Name: "bench", Host: clusterHost, Port: clusterPort}, Routes: server.RoutesFromStr(f.routes)})
	if err != nil {
		return ready{}, nil, err
	}
	ns.Start()
	stop := func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
	if !ns.ReadyForConnections(30 * time.Second) {
		stop()
		return ready{}, nil, errors.New("it takes no connections")
	}
	return ready{NATS: ns.ClientURL()}, stop, nil
}

func hostPort(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(digits)
	}
	return host, port, err
}
