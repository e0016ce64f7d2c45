package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// hold tells where and when an item begins, and holds it until a file is there. Then, where its config says so, the first
// attempt fails.
type hold struct {
	spec *satellite.Spec
	node string
}

// holdLook is the time between two looks for the file.
const holdLook = 10 * time.Millisecond

func (h *hold) Spec() *satellite.Spec { return h.spec }
func (h *hold) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	line, err := json.Marshal(began{inv.Run, inv.Item(), h.node, inv.Attempt, time.Now().UnixNano()})
	if err != nil {
		return err
	}
	fmt.Println(string(line)) // in one piece: other items tell, too
	for file, _ := inv.Config["until"].(string); file != ""; {
		if _, err := os.Stat(file); err == nil {
			break
		}
		if err := pause(ctx, holdLook); err != nil {
			return err
		}
	}
	if fails, _ := inv.Config["fails"].(bool); fails && inv.Attempt == 1 {
		return orbit.Transient(orbit.CodeUnavailable, "the first attempt fails")
	}
	return emit(inv.Incoming)
}

// nap takes as long as its config says. Its items are short, so that a run of many can be cut off anywhere.
type nap struct{ spec *satellite.Spec }

func (n *nap) Spec() *satellite.Spec { return n.spec }
func (n *nap) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	text, _ := inv.Config["for"].(string)
	d, err := time.ParseDuration(text)
	if err != nil {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%q is no duration", text)
	}
	if err := pause(ctx, d); err != nil {
		return err
	}
	return emit(inv.Incoming)
}

// flaky fails one item of ten at its first attempt.
type flaky struct{ spec *satellite.Spec }

func (f *flaky) Spec() *satellite.Spec { return f.spec }
func (f *flaky) Immediate()            {}
func (f *flaky) Run(_ context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	if n, err := inv.Lineage.Last(); inv.Attempt == 1 && (err != nil || n%10 == 0) {
		return orbit.Transient(orbit.CodeUnavailable, "the first attempt fails")
	}
	return emit(inv.Incoming)
}
