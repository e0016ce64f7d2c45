package modelhost

import (
	"context"
	"fmt"
	"time"
)

const (
	// pollEvery is the time between two looks whether a server is healthy, while it starts; glanceEvery when it is ready.
	pollEvery, glanceEvery = 500 * time.Millisecond, 10 * time.Second
	// sick is how long a server that was ready may not answer before it is taken for hung. One that is busy may be slow.
	sick = 2 * time.Minute
	// grace is between SIGTERM and SIGKILL.
	grace = 30 * time.Second
)

// Process is a server that was started.
type Process interface {
	// Gone is closed when the process is gone, and all that it has started.
	Gone() <-chan struct{}
	// Ended tells how it ended, once it is gone, and what it wrote last.
	Ended() (how, tail string)
	// Stop ends it: SIGTERM, and after a grace SIGKILL. It returns when it is gone, or cannot be ended.
	Stop(grace time.Duration)
}

// failure is why a server is gone that was not to go.
type failure struct{ reason, tail string }

func (f *failure) Error() string {
	if f.tail == "" {
		return f.reason
	}
	return f.reason + "; the last it wrote: " + f.tail
}

// serve is the life of one process. It returns when that is gone: nil where ctx has ended.
func (h *Host) serve(ctx context.Context, s *server, c Command) error {
	if h.o.Check(ctx, s.Health) == nil {
		return &failure{reason: fmt.Sprintf("something answers at %s already, though its server is not started; stop that, or give the model a port of its own", s.Health.URL)}
	}
	if ctx.Err() != nil {
		return nil
	}
	p, err := h.o.Start(c)
	if err != nil {
		return &failure{reason: fmt.Sprintf("the program %s cannot be started (%s); correct `launch`", c.Args[0], err)}
	}
	err = h.attend(ctx, s, p)
	p.Stop(grace)
	select {
	case <-p.Gone(): // until then its memory is not free
	case <-h.ctx.Done():
	}
	if err != nil {
		_, tail := p.Ended()
		return &failure{reason: err.Error(), tail: tail}
	}
	return nil
}

// attend sees a process become healthy and stay so. It returns when it is to be ended: nil where ctx has ended.
func (h *Host) attend(ctx context.Context, s *server, p Process) error {
	begun := time.Now()
	late := time.NewTimer(s.StartTimeout)
	defer late.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	ready, heard := false, begun
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.Gone():
			how, _ := p.Ended()
			if !ready {
				return fmt.Errorf("its server %s before it was ready, after %s", how, time.Since(begun).Round(time.Second))
			}
			return fmt.Errorf("its server %s", how)
		case <-late.C:
			if !ready {
				return fmt.Errorf("its server did not answer at %s within %s; raise start-timeout, or correct health", s.Health.URL, s.StartTimeout)
			}
			continue
		case <-poll.C:
		}
		err := h.o.Check(ctx, s.Health)
		switch now := time.Now(); {
		case err == nil && !ready:
			ready, heard = true, now
			poll.Reset(glanceEvery)
			select {
			case h.events <- event{server: s, ready: true}:
			case <-ctx.Done():
			}
		case err == nil:
			heard = now
		case ready && ctx.Err() == nil && now.Sub(heard) > sick:
			return fmt.Errorf("its server has not answered at %s for %s (%s)", s.Health.URL, sick, err)
		}
	}
}
