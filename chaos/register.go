package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/exospherehost/orbit"
)

// A run's document is a register: a start makes it once, a cancel ends it, the mesh ends it at a moment of its own choice,
// and a read tells. It is linearizable if there is an order of all operations, each somewhere between its request and its
// answer, in which every answer is right.

// phase is where a run stands for the register: absent, open, or the state in which it ended.
type phase string

const (
	absent phase = "absent"
	opened phase = "open"
)

func phaseOf(s orbit.RunState) phase {
	if s.Terminal() {
		return phase(s)
	}
	return opened
}

// byItself are the ends that the mesh chooses. Cancelled is not among them.
var byItself = []phase{phase(orbit.RunSucceeded), phase(orbit.RunPartial), phase(orbit.RunFailed)}

// step gives the phases in which a run may be after an operation with that answer; none: the answer is wrong.
func step(p phase, o op) []phase {
	switch {
	case o.Kind == opStart && o.Result == resultUnknown:
		if p == absent {
			return []phase{absent, opened}
		}
		return []phase{p}
	case o.Kind == opStart && p == absent:
		return tell(opened, phaseOf(o.State))
	case o.Kind == opRead && o.Result == resultRefused:
		if p == absent {
			return []phase{absent}
		}
		return nil
	case o.Kind == opStart, o.Kind == opRead:
		return tell(p, phaseOf(o.State))
	case o.Result == resultUnknown: // cancel
		if p == opened {
			return []phase{opened, phase(orbit.RunCancelled)}
		}
		return []phase{p}
	case o.Result == resultOK:
		if p == opened || p == phase(orbit.RunCancelled) {
			return []phase{phase(orbit.RunCancelled)}
		}
		return nil
	case p == opened: // refused: it has ended
		return byItself
	case p != absent && p != phase(orbit.RunCancelled):
		return []phase{p}
	}
	return nil
}

// tell gives the phase in which a run in p is when it is told to be in told.
func tell(p, told phase) []phase {
	if p == told && p != absent {
		return []phase{p}
	}
	if p == opened && told != phase(orbit.RunCancelled) && told != absent { // it ended meanwhile
		return []phase{told}
	}
	return nil
}

// register is the model. A stale one lets reads tell what was true before: an earlier phase of the same run.
func register(stale bool) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{absent} },
		Step: func(state, input, output any) []any {
			var next []any
			p, o := state.(phase), output.(op)
			for _, n := range step(p, o) {
				next = append(next, n)
			}
			if stale && o.Kind == opRead && (o.Result == resultRefused || phaseOf(o.State) == opened && p != absent) {
				next = append(next[:0], p)
			}
			return next
		},
		DescribeOperation: func(_, output any) string {
			o := output.(op)
			return fmt.Sprintf("%s by %d through %s: %s %s", o.Kind, o.Client, o.Gateway, o.Result, o.State)
		},
	}
	return m.ToModel()
}

// registerOf gives the operations on each run that say something about its register.
func registerOf(ops []op) map[string][]porcupine.Operation {
	out := map[string][]porcupine.Operation{}
	for _, o := range ops {
		run := o.Run
		if run == "" && o.Key != "" {
			run = keyed(o)
		}
		switch {
		case run == "" || o.Other || o.Result == resultFailed:
			continue
		case o.Kind == opRead && o.Result == resultUnknown:
			continue
		case o.Kind != opRead && o.Result == resultRefused && !saysEnded(o):
			continue
		}
		back := int64(o.Return)
		if o.Result == resultUnknown { // it may still be on its way
			back = math.MaxInt64
		}
		out[run] = append(out[run], porcupine.Operation{ClientId: o.Client, Input: o.Kind, Output: o, Call: int64(o.Call), Return: back})
	}
	return out
}

// saysEnded tells a cancel that was refused because the run has ended.
func saysEnded(o op) bool {
	return o.Kind == opCancel && o.Status == 409 && strings.Contains(o.Note, "has ended as")
}

// registers checks the history of every run. stale counts those of which a read was answered with what had been true before:
// decisions are made by CAS and never on a read, so that breaks no promise, and is told.
func registers(ops []op) (violations []string, runs, stale int) {
	strict, lenient := register(false), register(true)
	for run, history := range registerOf(ops) {
		runs++
		switch porcupine.CheckOperationsTimeout(strict, history, 10*time.Second) {
		case porcupine.Ok:
			continue
		case porcupine.Unknown:
			violations = append(violations, fmt.Sprintf("run %s: its history of %d operations could not be checked in time", run, len(history)))
			continue
		}
		if porcupine.CheckOperationsTimeout(lenient, history, 10*time.Second) == porcupine.Ok {
			stale++
			continue
		}
		violations = append(violations, fmt.Sprintf("run %s: no order of its operations explains what clients were told: %s", run, describe(history)))
	}
	return violations, runs, stale
}

func describe(history []porcupine.Operation) (text string) {
	for i, h := range history {
		o := h.Output.(op)
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%s %.2f–%.2fs %s %s", o.Kind, o.Call.Seconds(), o.Return.Seconds(), o.Result, o.State)
	}
	return text
}
