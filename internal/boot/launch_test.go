package boot

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/node/modelhost"
	"github.com/exospherehost/orbit/satellite/catalog"
)

const launched = `models:
    acme/small:
        url: http://127.0.0.1:8002/v1
        api-key-env: LAUNCH_TEST_OTHER
        launch: exec llama-server --port 8002 --api-key "$LAUNCH_TEST_OTHER"
        gpu-memory: "0"
    exospherehost/deepseek-r1-distill-llama-70b:
        url: http://127.0.0.1:8001/v1
        api-key-env: LAUNCH_TEST_KEY
        headers:
            X-Team: reports
        launch:
            - vllm
            - serve
            - --port
            - "8001"
            - --max-num-batched-tokens
            - "2048"
        gpu-memory: 60GiB
        gpus: 2
        health: http://127.0.0.1:8001/health
        start-timeout: 20m
`

func TestServersThatTheNodeStartsAreReadAndPrinted(t *testing.T) {
	t.Setenv("LAUNCH_TEST_KEY", "CANARY-key")
	t.Setenv("LAUNCH_TEST_OTHER", "CANARY-other")
	file := filepath.Join(t.TempDir(), "node.yml")
	write(t, file, launched)
	code, printed, errs := run(NodeCommand(), "config", "--config", file)
	if code != 0 || !strings.Contains(printed, launched) {
		t.Fatalf("exit code %d, %s\n%s", code, errs, cmp.Diff(launched, printed))
	}
	var models Models
	if err := models.UnmarshalText([]byte(strings.TrimPrefix(launched, "models:"))); err != nil {
		t.Fatal(err)
	}
	endpoints, err := models.endpoints()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(catalog.Options{Models: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	gpus := []orbit.GPU{{Memory: 80 * orbit.GiB}, {Memory: 24 * orbit.GiB}, {Memory: 60 * orbit.GiB}}
	got, err := models.servers(endpoints, c.Registry(), gpus)
	want := []modelhost.Server{
		{Name: "acme/small", Pool: "model-acme~small", Command: []string{"/bin/sh", "-c", `exec llama-server --port 8002 --api-key "$LAUNCH_TEST_OTHER"`}, StartTimeout: 10 * time.Minute,
			Health: modelhost.Health{URL: "http://127.0.0.1:8002/v1/models", Headers: map[string]string{"Authorization": "Bearer CANARY-other"}}, Hidden: []string{"LAUNCH_TEST_KEY"}},
		{Name: "exospherehost/deepseek-r1-distrill-llama-70b", Pool: "model-deepseek-r1-distrill-llama-70b", Command: []string{"vllm", "serve", "--port", "8001", "--max-num-batched-tokens", "2048"},
			Memory: 60 * orbit.GiB, Devices: 2, StartTimeout: 20 * time.Minute, Hidden: []string{"LAUNCH_TEST_OTHER"},
			Health: modelhost.Health{URL: "http://127.0.0.1:8001/health", Headers: map[string]string{"Authorization": "Bearer CANARY-key", "X-Team": "reports"}}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v; servers (-want +got):\n%s", err, d)
	}
	if text := maskOf(endpoints)("it was started with CANARY-key by Bearer CANARY-other"); strings.Contains(text, "CANARY") {
		t.Error(text)
	}
	_, err = models.servers(endpoints, c.Registry(), gpus[:2])
	if want := "models: exospherehost/deepseek-r1-distill-llama-70b: it takes 60GiB of each of 2 GPUs, and of the 2 of this machine 1 are so large; correct gpu-memory or gpus"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestTheKeyGoesToNoOtherHostThanTheModels(t *testing.T) {
	t.Setenv("LAUNCH_TEST_KEY", "CANARY-key")
	b := ModelBinding{URL: "http://127.0.0.1:8001/v1", APIKeyEnv: "LAUNCH_TEST_KEY", Health: "http://127.0.0.1:9000/ready"}
	endpoints, err := (Models{"a/b": b}).endpoints()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := b.health(endpoints["a/b"]); err != nil || h.URL != b.Health || len(h.Headers) > 0 {
		t.Errorf("%+v, %v", h, err)
	}
}
