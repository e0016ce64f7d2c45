package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
)

// ask makes a request as `nats req` does.
func ask[T any](b *bench, subject, body string) (v T, refusal string) {
	b.Helper()
	m, err := b.conn.Request(subject, []byte(body), 5*time.Second)
	if err != nil {
		b.Fatalf("%s: %v", subject, err)
	}
	if code := m.Header.Get("Nats-Service-Error-Code"); code != "" {
		return v, code + " " + m.Header.Get("Nats-Service-Error")
	}
	if err := json.Unmarshal(m.Data, &v); err != nil {
		b.Fatalf("%s: %v in %s", subject, err, m.Data)
	}
	return v, ""
}

func TestMicroServiceAnswersAsTheHTTPAPIDoes(t *testing.T) {
	inBubble(t, func(b *bench) {
		a, refusal := ask[Applied](b, "orbit.api.apply", file("acme/a", "."))
		if !a.Created || a.Identifier != "acme/a" {
			b.Errorf("apply: %+v %s", a, refusal)
		}
		run, refusal := ask[orbit.Run](b, "orbit.api.run", `{"cluster": "cluster/acme/a", "payload": 7, "idempotency_key": "k"}`)
		if run.State != orbit.RunRunning {
			b.Errorf("run: %+v %s", run, refusal)
		}
		if same := b.start("acme/a", `{"payload": 7}`, "Idempotency-Key: k"); same.ID != run.ID {
			b.Errorf("the same key gives %s over NATS and %s over HTTP", run.ID, same.ID)
		}
		if got, refusal := ask[orbit.Run](b, "orbit.api.status", `{"run": "`+run.ID+"\"}\n"); got.ID != run.ID {
			b.Errorf("status: %+v %s", got, refusal)
		}
		if got, refusal := ask[orbit.Run](b, "orbit.api.cancel", `{"run": "`+run.ID+`"}`); got.State != orbit.RunCancelled {
			b.Errorf("cancel: %+v %s", got, refusal)
		}
	})
}

func TestMicroServiceRefusesInWords(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, c := range [][3]string{
			{"apply", "version: 2", "422 the cluster file has"},
			{"run", "{}", "400 the request is not of the form"},
			{"run", "", "400 the request is not of the form"},
			{"run", `{"cluster": "acme/b"}`, "404 there is no cluster acme/b"},
			{"status", `{"run": "x"}`, "400 the request is not of the form"},
			{"status", `{"run": "` + strings.Repeat("0", 20) + `"}`, "404 there is no run"},
			{"cancel", `{"run": "` + strings.Repeat("0", 20) + `"}`, "404 there is no run"},
		} {
			if _, refusal := ask[any](b, "orbit.api."+c[0], c[1]); !strings.HasPrefix(refusal, c[2]) {
				b.Errorf("%s %s is refused with %q, want %q", c[0], c[1], refusal, c[2])
			}
		}
	})
}

func TestAnswersNeverBecomeCommandsToTheServer(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		b.start("acme/a", "")
		for _, subject := range []string{"orbit.api.status", "orbit.ask.secrets", "orbit.node.n1"} {
			m := &nats.Msg{Subject: subject, Reply: "$JS.API.STREAM.PURGE.ORBIT_0", Data: []byte(`{"node": {"name": "n1"}}`)}
			if err := b.conn.PublishMsg(m); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		s, err := b.g.js.Stream(b.Context(), "ORBIT_0")
		if err != nil || s.CachedInfo().State.Msgs == 0 {
			b.Errorf("the stream was emptied: %v", err)
		}
	})
}
