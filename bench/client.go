package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// apply registers a cluster.
func (m *mesh) apply(ctx context.Context, identifier string, file []byte) error {
	_, _, err := m.api.Apply(ctx, identifier, file)
	return err
}

// submit starts a run and gives its document.
func (m *mesh) submit(ctx context.Context, cluster string, payload any) (*orbit.Run, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	raw, err := m.api.Start(ctx, cluster, apiclient.Start{Payload: body})
	if err != nil {
		return nil, err
	}
	run := &orbit.Run{}
	return run, json.Unmarshal(raw, run)
}

// wait gives a run's document once it has ended.
func (m *mesh) wait(ctx context.Context, id string) (*orbit.Run, error) {
	for {
		raw, err := m.api.Run(ctx, id, 20*time.Second)
		if err != nil {
			return nil, err
		}
		run := &orbit.Run{}
		if err := json.Unmarshal(raw, run); err != nil || run.State.Terminal() {
			return run, err
		}
	}
}

// waitAnyhow is wait while gateways and servers come and go: whichever gateway answers is asked.
func (m *mesh) waitAnyhow(ctx context.Context, id string) (*orbit.Run, error) {
	for i := 0; ; i++ {
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		raw, err := m.apis[i%len(m.apis)].Run(once, id, 2*time.Second)
		cancel()
		if err == nil {
			run := &orbit.Run{}
			if err := json.Unmarshal(raw, run); err != nil || run.State.Terminal() {
				return run, err
			}
			continue
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return nil, fmt.Errorf("run %s has not ended: %w (%w)", id, context.Cause(ctx), err)
		}
	}
}

// succeed runs a cluster once and gives the time from the request to its end as the client sees it. A run that does not
// succeed is an error.
func (m *mesh) succeed(ctx context.Context, cluster string, payload any) (*orbit.Run, time.Duration, error) {
	begun := time.Now()
	run, err := m.submit(ctx, cluster, payload)
	if err == nil {
		run, err = m.wait(ctx, run.ID)
	}
	took := time.Since(begun)
	if err == nil && run.State != orbit.RunSucceeded {
		err = fmt.Errorf("run %s is %s: %s", run.ID, run.State, run.Error)
	}
	return run, took, err
}

// pause waits for a while. Its error is that of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
