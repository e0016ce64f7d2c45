package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/exospherehost/orbit/streams"
)

// playServer is a NATS server of a cluster of three. On its standard input it takes "sync MS": each fsync takes so much longer
// from now on. It ends on SIGTERM, or when its standard input ends because its parent has died.
func playServer(args []string) int {
	var name, listen, cluster, routes, dir string
	var always, slow bool
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	flags.StringVar(&name, "name", "", "")
	flags.StringVar(&listen, "listen", "", "")
	flags.StringVar(&cluster, "cluster", "", "")
	flags.StringVar(&routes, "routes", "", "")
	flags.StringVar(&dir, "data", "", "")
	flags.BoolVar(&always, "sync", false, "")
	flags.BoolVar(&slow, "slow", false, "")
	_ = flags.Parse(args) // ExitOnError
	delay := func(int64) {}
	if slow {
		var err error
		if delay, err = delaySyncs(); err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
			return 1
		}
	}
	host, port, err := hostPort(listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		return 2
	}
	clusterHost, clusterPort, err := hostPort(cluster)
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		return 2
	}
	opts := &server.Options{ServerName: name, Host: host, Port: port, JetStream: true, StoreDir: dir, MaxPayload: streams.MaxPayload, MaxPending: 256 << 20,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30, // more than any disk of ours: the disk is to say that it is full
		SyncAlways: always, SyncInterval: 2 * time.Minute, Logtime: true,
		Cluster: server.ClusterOpts{Name: "chaos", Host: clusterHost, Port: clusterPort}, Routes: server.RoutesFromStr(routes)}
	ns, err := server.NewServer(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		return 1
	}
	ns.ConfigureLogger() // to standard error
	ns.Start()
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			if ms, err := strconv.ParseInt(strings.TrimPrefix(in.Text(), "sync "), 10, 64); err == nil {
				delay(ms)
			}
		}
		os.Exit(1)
	}()
	ns.WaitForShutdown()
	return 0
}

func hostPort(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(digits)
	}
	return host, port, err
}
