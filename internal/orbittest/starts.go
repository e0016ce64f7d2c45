package orbittest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Start is one execution of an item.
type Start struct {
	Item string
	Node *Process
	At   time.Time
	End  time.Time // zero while it runs
}

// Starts makes a behaviour note when its items begin and end.
type Starts struct {
	mu  sync.Mutex
	all []*Start
}

// Of notes what b does.
func (s *Starts) Of(b Behaviour) Behaviour {
	return func(ctx context.Context, x *Execution) error {
		st := &Start{Item: x.Item(), Node: x.Node, At: time.Now()}
		s.mu.Lock()
		s.all = append(s.all, st)
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			st.End = time.Now()
		}()
		return b(ctx, x)
	}
}

// Running gives the items that run on a process now.
func (s *Starts) Running(p *Process) (items []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.all {
		if st.Node == p && st.End.IsZero() {
			items = append(items, st.Item)
		}
	}
	return items
}

// After gives when an item began to run for the first time after t; false: it has not.
func (s *Starts) After(item string, t time.Time) (Start, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.all {
		if st.Item == item && st.At.After(t) {
			return *st, true
		}
	}
	return Start{}, false
}

// All gives every start, in the order in which they were.
func (s *Starts) All() (all []Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.all {
		all = append(all, *st)
	}
	return all
}

// Naks counts, from now on, the bundles that anybody hands back, as the server tells of them.
func (o *Orbit) Naks() (count func() int) {
	o.T.Helper()
	var mu sync.Mutex
	n := 0
	sub, err := o.conn.Subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.>", func(m *nats.Msg) {
		if strings.Contains(m.Subject, ".ORBIT_") && !strings.Contains(m.Subject, ".ORBIT_LATER.") {
			mu.Lock()
			n++
			mu.Unlock()
		}
	})
	if err == nil {
		err = o.conn.Flush()
	}
	if err != nil {
		o.T.Fatal(err)
	}
	return func() int {
		_ = sub.Unsubscribe()
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}
