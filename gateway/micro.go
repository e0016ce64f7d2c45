package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/exospherehost/orbit"
)

// requestTime bounds the work for one request over NATS.
const requestTime = 10 * time.Second

// startMicro registers the gateway as a NATS micro service, so that `nats micro ls` shows it and `nats req
// orbit.api.apply < cluster.yml` works. Answers are those of the HTTP API; a refusal carries its status as the error code.
func (g *Gateway) startMicro() error {
	svc, err := micro.AddService(g.opts.Conn, micro.Config{Name: "orbit-gateway", Version: semver(g.opts.Version),
		Description: "Exosphere Orbit: clusters and runs", Metadata: map[string]string{"name": g.opts.Name}})
	if err != nil {
		return fmt.Errorf("register the NATS micro service: %w", err)
	}
	g.micro = svc
	for name, f := range map[string]func(context.Context, []byte) (any, error){
		"apply":  g.microApply,
		"run":    g.microRun,
		"status": g.microStatus,
		"cancel": g.microCancel,
	} {
		err := svc.AddEndpoint(name, micro.HandlerFunc(func(r micro.Request) { g.wg.Go(func() { g.answer(r, f) }) }), micro.WithEndpointSubject("orbit.api."+name))
		if err != nil {
			return fmt.Errorf("register orbit.api.%s: %w", name, err)
		}
	}
	return nil
}

func (g *Gateway) stopMicro() {
	if g.micro != nil {
		_ = g.micro.Stop()
	}
}

func (g *Gateway) answer(r micro.Request, f func(context.Context, []byte) (any, error)) {
	if !strings.HasPrefix(r.Reply(), "_INBOX.") { // an answer to a JetStream API subject would be a command
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, requestTime)
	defer cancel()
	v, err := f(ctx, r.Data())
	var body []byte
	if err == nil {
		body, err = encode(v)
	}
	if err == nil {
		_ = r.Respond(body) // lost: the caller asks again
		return
	}
	p := asProblem(err)
	body, _ = json.Marshal(p)
	_ = r.Error(strconv.Itoa(p.Status), p.Error(), body)
}

func (g *Gateway) microApply(ctx context.Context, text []byte) (any, error) {
	return g.apply(ctx, "", text)
}

func (g *Gateway) microRun(ctx context.Context, data []byte) (any, error) {
	var req struct {
		Cluster string       `json:"cluster"`
		Payload orbit.Object `json:"payload"`
		Key     string       `json:"idempotency_key"`
	}
	if err := json.Unmarshal(data, &req); err != nil || req.Cluster == "" {
		return nil, badRequest(`the request is not of the form {"cluster": "project/name", "payload": …, "idempotency_key": "…"}`)
	}
	doc, err := g.launch(ctx, LaunchRequest{Cluster: strings.TrimPrefix(req.Cluster, "cluster/"), Payload: req.Payload, Key: req.Key, Trigger: "api-call"})
	if err != nil {
		return nil, err
	}
	return g.view(ctx, doc)
}

func (g *Gateway) microStatus(ctx context.Context, data []byte) (any, error) {
	id, err := microRunID(data)
	if err != nil {
		return nil, err
	}
	doc, err := g.readRun(ctx, id)
	if err != nil {
		return nil, err
	}
	return g.view(ctx, doc)
}

func (g *Gateway) microCancel(ctx context.Context, data []byte) (any, error) {
	id, err := microRunID(data)
	if err != nil {
		return nil, err
	}
	doc, err := g.cancelRun(ctx, id)
	if err != nil {
		return nil, err
	}
	return g.view(ctx, doc)
}

func microRunID(data []byte) (string, error) {
	var req struct {
		Run string `json:"run"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(data), &req); err != nil || !orbit.ValidID(req.Run) {
		return "", badRequest(`the request is not of the form {"run": "<id>"}`)
	}
	return req.Run, nil
}

// semver gives a version that the micro package accepts.
func semver(v string) string {
	v = strings.TrimPrefix(v, "v")
	if strings.Count(v, ".") < 2 {
		return "0.0.0"
	}
	return v
}
