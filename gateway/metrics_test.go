package gateway

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

var sample = regexp.MustCompile(`^(orbit_[a-z_]+)(\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? (\S+)$`)

// scrape reads the metrics, and demands that Prometheus can. Values come by name and labels.
func (b *bench) scrape() map[string]float64 {
	b.Helper()
	w := b.get("/metrics")
	if w.Code != 200 || w.Header().Get("Content-Type") != metricsType {
		b.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	out := map[string]float64{}
	name := ""
	lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			var help string
			if name, help, _ = strings.Cut(rest, " "); help == "" || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "# TYPE "+name+" ") {
				b.Errorf("%s has no help or no type", name)
			}
			continue
		}
		if kind, ok := strings.CutPrefix(line, "# TYPE "+name+" "); ok {
			if (kind == "counter") != strings.HasSuffix(name, "_total") || kind != "counter" && kind != "gauge" {
				b.Errorf("%s is a %s", name, kind)
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || m[1] != name {
			b.Errorf("%q cannot be read, or stands under %s", line, name)
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := out[m[1]+m[2]]; err != nil || twice {
			b.Errorf("%q: %v, or a value is there twice", line, err)
		}
		out[m[1]+m[2]] = v
	}
	return out
}

func TestMetricsTellHowTheMeshStands(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		first := b.start("acme/a", "").ID
		second := b.start("acme/a", "").ID
		beat := `{"node":{"name":"n1","state":"alive","class":"gpu-80g","slots":{"total":4,"busy":1},"gpus":[{"name":"H100","memory":100,"free":40}]}}`
		if _, err := b.conn.Request("orbit.node.n1", []byte(beat), time.Second); err != nil {
			b.Fatal(err)
		}
		b.send("POST", "/v1/runs/"+first+"/cancel", "")
		b.get("/v1/runs/" + strings.Repeat("0", 20))
		time.Sleep(5 * time.Second)
		got := b.scrape()
		for name, want := range map[string]float64{
			`orbit_gateway_info{version="1.2.3"}`:                                                   1,
			`orbit_runs_accepted_total`:                                                             2,
			`orbit_runs_ended_total{state="cancelled"}`:                                             1,
			`orbit_runs_ended_total{state="succeeded"}`:                                             0,
			`orbit_runs_open{state="running"}`:                                                      1,
			`orbit_items_outstanding`:                                                               1,
			`orbit_queue_bundles{class="cpu",pool="core",tier="6h",state="waiting"}`:                1,
			`orbit_queue_bundles{class="cpu",pool="core",tier="6h",state="running"}`:                0,
			`orbit_queue_oldest_seconds{class="cpu",pool="core",tier="6h"}`:                         5,
			`orbit_queue_oldest_seconds{class="cpu",pool="core",tier="24h"}`:                        0,
			`orbit_nodes{state="alive"}`:                                                            1,
			`orbit_slots{class="gpu-80g"}`:                                                          4,
			`orbit_slots_busy{class="gpu-80g"}`:                                                     1,
			`orbit_gpu_memory_bytes{class="gpu-80g"}`:                                               100,
			`orbit_gpu_memory_free_bytes{class="gpu-80g"}`:                                          40,
			`orbit_ledger_lag_records{partition="0"}`:                                               0,
			`orbit_http_requests_total{route="POST /v1/clusters/{project}/{name}/runs",code="202"}`: 2,
			`orbit_http_requests_total{route="GET /v1/runs/{id}",code="404"}`:                       1,
			`orbit_nats_up`: 1,
		} {
			if v, ok := got[name]; !ok || v < want || v > want+0.5 {
				b.Errorf("%s is %v, want %v", name, v, want)
			}
		}
		if age, ok := got[`orbit_checkpoint_age_seconds{partition="0"}`]; !ok || age > 1 {
			b.Errorf("the checkpoint is %v s old while there is nothing to save", age)
		}
		for name := range got {
			if strings.Contains(name, first) || strings.Contains(name, second) {
				b.Errorf("%s names a run", name)
			}
		}
	})
}

func TestACheckpointAgesWhileThereIsSomethingToSave(t *testing.T) {
	var p pulse
	now := time.UnixMilli(1_000_000)
	p.beat(5, 5, now)
	p.beat(7, 5, now.Add(time.Second))
	if p.folded.Load() != 7 || p.saved.Load() != now.UnixMilli() {
		t.Errorf("folded %d, saved at %d", p.folded.Load(), p.saved.Load())
	}
}

func TestMetricsAreThereWhileTheServerIsNot(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.conn.Close()
		got := b.scrape()
		if v, ok := got["orbit_nats_up"]; !ok || v != 0 {
			b.Errorf("orbit_nats_up is %v, %v", v, ok)
		}
		if _, ok := got["orbit_runs_accepted_total"]; !ok {
			b.Error("what needs no server is missing")
		}
	})
}

func TestLabelsAreEscaped(t *testing.T) {
	w := &promText{}
	w.family("orbit_x", "gauge", "X.")
	w.value(0.5, "a", "q\"b\\c\nd", "b", "")
	if got := string(w.buf); got != "# HELP orbit_x X.\n# TYPE orbit_x gauge\norbit_x{a=\"q\\\"b\\\\c\\nd\",b=\"\"} 0.5\n" {
		t.Error(got)
	}
}

func TestEndedRunsAreCountedByState(t *testing.T) {
	var m metrics
	m.end(orbit.RunPartial)
	m.end("unheard of")
	w := &promText{}
	m.write(w)
	if !strings.Contains(string(w.buf), "orbit_runs_ended_total{state=\"partial\"} 1\n") {
		t.Errorf("%s", w.buf)
	}
}
