package cli_test

import (
	"time"

	"github.com/exospherehost/orbit"
)

const runID = "0123456789abcdefghjk"

// start is when bubbles begin.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) *time.Time {
	t := start.Add(d)
	return &t
}

var reports = orbit.ClusterDoc{Identifier: "demo/reports", Version: "0123456789ab", Title: "Reports", SLA: orbit.Duration(6 * time.Hour),
	CreatedAt: start, UpdatedAt: start.Add(-48 * time.Hour), Satellites: []string{"get-files", "parse-pdf", "send"}}

var nodes = []orbit.NodeDoc{
	{Name: "a", State: "alive", Class: "cpu", Pools: []string{"core"}, CPU: orbit.NodeCPU{Cores: 2}, Memory: 8 * orbit.GiB, Slots: orbit.Slots{Total: 2, Busy: 1},
		Address: "127.0.0.1:7946", Version: "1.0"},
	{Name: "b", State: "draining", Class: "gpu-80g", Pools: []string{"core", "model-x"}, CPU: orbit.NodeCPU{Cores: 32}, Memory: 256 * orbit.GiB,
		GPUs: []orbit.GPU{{Name: "H100", Memory: 80 * orbit.GiB}, {Name: "H100", Memory: 80 * orbit.GiB}}, Slots: orbit.Slots{Total: 32}, Address: "10.0.0.2:7946", Version: "1.0",
		Models: []orbit.ModelDoc{{Name: "acme/x", State: orbit.ModelReady, Since: after(-time.Hour), TokensPerSecond: 1250.5}, {Name: "acme/y", State: orbit.ModelFailed, Since: after(-90 * time.Second), Error: "its server ended with exit status 1"},
			{Name: "acme/z", State: orbit.ModelBound}}},
}

var queues = []orbit.QueueDoc{
	{Class: "cpu", Pool: "core", Tier: "6h", Waiting: 120, Running: 2, Oldest: after(-90 * time.Second)},
	{Class: "gpu-80g", Pool: "model-x", Tier: "24h"},
}

// counted gives the counts of a satellite's items.
func counted(waiting, running, succeeded, failed int) orbit.ItemCounts {
	return orbit.CountItems(map[orbit.ItemState]int{orbit.ItemWaiting: waiting, orbit.ItemRunning: running, orbit.ItemSucceeded: succeeded, orbit.ItemFailed: failed})
}

// aRun is a run of demo/reports with the given items at its three satellites.
func aRun(state orbit.RunState, files, parsed, sent orbit.ItemCounts) orbit.Run {
	r := orbit.Run{ID: runID, Cluster: "demo/reports", Version: "0123456789ab", State: state, Round: 1, SLA: orbit.Duration(6 * time.Hour),
		Trigger: orbit.RunTrigger{Type: "api-call", At: start}, CreatedAt: start, StartedAt: after(0), Deadline: start.Add(6 * time.Hour),
		Satellites: []orbit.RunSatellite{
			{Identifier: "get-files", Uses: "exospherehost/get-files", Part: "main", Class: "cpu", Items: files},
			{Identifier: "parse-pdf", Uses: "exospherehost/parse-pdf-with-docling", Part: "main", Class: "cpu", Items: parsed},
			{Identifier: "send", Uses: "exospherehost/call-webhook", Part: "main", Class: "cpu", Items: sent},
		}}
	if state.Terminal() {
		r.FinishedAt = after(4 * time.Second)
	}
	return r
}

func running() orbit.Run {
	return aRun(orbit.RunRunning, counted(0, 0, 1, 0), counted(6, 2, 4, 0), counted(0, 1, 3, 0))
}

func ended(state orbit.RunState, failed int) orbit.Run {
	return aRun(state, counted(0, 0, 1, 0), counted(0, 0, 12-failed, failed), counted(0, 0, 12-failed, 0))
}

// failedItem is an item of parse-pdf that has failed.
func failedItem(lineage orbit.Lineage, input map[string]any, sentence string) orbit.ItemDoc {
	return orbit.ItemDoc{ID: orbit.ItemID("parse-pdf", lineage), Satellite: "parse-pdf", Lineage: lineage, State: orbit.ItemFailed, Attempts: 1, Node: "a",
		StartedAt: after(time.Second), FinishedAt: after(1250 * time.Millisecond), Input: orbit.MustObject(input),
		Error: &orbit.Error{Code: orbit.CodeInvalidInput, Message: sentence}}
}
