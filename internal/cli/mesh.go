package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// nodesCommand is `orbit nodes`.
type nodesCommand struct{}

// Help is the long help.
func (*nodesCommand) Help() string {
	return "Where nodes answer for models, a second list tells how those are: bound to an endpoint that somebody else runs, or, where the node starts the server itself, " +
		"stopped, starting, ready, stopping or failed."
}

// Run lists the machines, and the models that they answer for.
func (*nodesCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	models := a.newTable("NODE MODEL STATE >FOR >TOKENS/S ERROR")
	err = list(a, client.Nodes(ctx), "NAME STATE CLASS POOLS >CORES >MEMORY GPUS >SLOTS ADDRESS VERSION", "no nodes; start one with `orbit-node`",
		func(n orbit.NodeDoc) []string {
			for _, m := range n.Models {
				pace := ""
				if m.TokensPerSecond > 0 {
					pace = strconv.FormatFloat(m.TokensPerSecond, 'f', 1, 64)
				}
				models.add(n.Name, m.Name, string(m.State), between(m.Since, nil, now), pace, m.Error)
			}
			return []string{n.Name, n.State, n.Class, strings.Join(n.Pools, ", "), strconv.Itoa(n.CPU.Cores), n.Memory.String(), gpuText(n.GPUs),
				fmt.Sprintf("%d/%d", n.Slots.Busy, n.Slots.Total), n.Address, n.Version}
		})
	if err != nil || len(models.rows) == 0 {
		return err
	}
	if _, err := io.WriteString(a.stdout, "\n"); err != nil {
		return err
	}
	return models.flush()
}

// gpuText names the devices of a machine, those of one kind together: "2x H100 79.6GiB".
func gpuText(gpus []orbit.GPU) string {
	number := map[string]int{}
	var kinds []string
	for _, g := range gpus {
		kind := g.Name + " " + g.Memory.String()
		if number[kind]++; number[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	for i, kind := range kinds {
		if n := number[kind]; n > 1 {
			kinds[i] = fmt.Sprintf("%dx %s", n, kind)
		}
	}
	return strings.Join(kinds, ", ")
}

// queuesCommand is `orbit queues`.
type queuesCommand struct{}

// Help is the long help.
func (*queuesCommand) Help() string {
	return "A queue holds the bundles of one hardware class, one pool of satellites and one tier, the time left to the deadline. " +
		"Waiting are bundles that no node has taken, running those that a node holds."
}

// Run lists the queues.
func (*queuesCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	return list(a, client.Queues(ctx), "CLASS POOL TIER >WAITING >RUNNING >OLDEST", "no queues yet", func(q orbit.QueueDoc) []string {
		return []string{q.Class, q.Pool, q.Tier, strconv.Itoa(q.Waiting), strconv.Itoa(q.Running), between(q.Oldest, nil, now)}
	})
}
