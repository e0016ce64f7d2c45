package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

const jqCalls = "/v1/satellites/exospherehost/jq"

// call runs a satellite alone.
func (b *bench) call(target, body string, headers ...string) orbit.Execution {
	b.Helper()
	return into[orbit.Execution](b, b.send("POST", target, body, headers...), 202)
}

func TestACallIsAcceptedAndShownAsItIs(t *testing.T) {
	inBubble(t, func(b *bench) {
		w := b.send("POST", jqCalls, `{"input": {"a": 1}, "config": {"query": ".a"}, "sla": "6h"}`)
		x := into[orbit.Execution](b, w, 202)
		if !orbit.ValidID(x.ID) || x.SLA.String() != "6h" || x.Status != orbit.RunRunning || x.Output != nil || x.Error != nil || x.Retries != 0 || x.CreatedAt.IsZero() {
			t.Errorf("%+v", x)
		}
		if at := w.Header().Get("Location"); at != jqCalls+"/"+x.ID {
			t.Errorf("it is said to be at %s", at)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil || len(fields) != 8 {
			t.Errorf("the answer has other fields than it should: %s", w.Body)
		}
		if again := into[orbit.Execution](b, b.get(jqCalls+"/"+x.ID), 200); again.ID != x.ID || again.Status != orbit.RunRunning {
			t.Errorf("%+v", again)
		}
		run := into[orbit.Run](b, b.get("/v1/runs/"+x.ID), 200)
		if text, _ := run.Trigger.Payload.MarshalJSON(); run.Cluster != "satellite/exospherehost/jq" || string(text) != `{"a":1}` || run.Satellites[0].Identifier != "jq" {
			t.Errorf("as a run it is %+v", run)
		}
		if list := into[page[orbit.Run]](b, b.get("/v1/runs?cluster=satellite/exospherehost/jq"), 200); len(list.Data) != 1 {
			t.Errorf("runs of the satellite: %+v", list.Data)
		}
		if list := into[page[orbit.ClusterDoc]](b, b.get("/v1/clusters"), 200); len(list.Data) != 0 {
			t.Errorf("clusters: %+v", list.Data)
		}
	})
}

func TestWhatIsWrongWithACallIsToldByPaths(t *testing.T) {
	inBubble(t, func(b *bench) {
		for name, c := range map[string]struct {
			target, body string
			status       int
			detail       string
			want         []string // path code message hint
		}{
			"no JSON":          {jqCalls, `{"input": `, 400, "the body is not JSON of the form", nil},
			"a list":           {jqCalls, `[]`, 400, "it is no object", nil},
			"two values":       {jqCalls, `{} {}`, 400, "something follows", nil},
			"a number too far": {jqCalls, `{"config": {"query": 1e999}}`, 400, "out of range", nil},
			"unknown key": {jqCalls, `{"imput": 1, "config": {"query": "."}}`, 422, "1 error",
				[]string{`imput ORB-C010 the call has no key "imput" (did you mean input?)`}},
			"no config": {jqCalls, ``, 422, "the call of exospherehost/jq has 1 error",
				[]string{"config ORB-C032 config of exospherehost/jq lacks the key query (orbit satellites exospherehost/jq shows what it takes)"}},
			"everything": {jqCalls, `{"sla": "3s", "config": {"qeury": ".", "timeout": []}, "more": 1}`, 422, "has 4 errors", []string{
				"sla ORB-C013 an sla must be from 1m to 168h (write 6h, 12h or 24h)",
				`config.qeury ORB-C031 config has no key "qeury" (did you mean query?)`,
				"config.timeout ORB-C033",
				`more ORB-C010 the call has no key "more" (known are input, config, sla)`,
			}},
			"sla is no duration": {jqCalls, `{"sla": "soon", "config": {"query": "."}}`, 422, "", []string{`sla ORB-C018 sla is no duration: "soon"`}},
			"sla is a number":    {jqCalls, `{"sla": 6, "config": {"query": "."}}`, 422, "", []string{`sla ORB-C018 sla is no duration: "6"`}},
			"sla too long":       {jqCalls, `{"sla": "169h", "config": {"query": "."}}`, 422, "", []string{"sla ORB-C013"}},
			"config is a list":   {jqCalls, `{"config": [1]}`, 422, "", []string{"config ORB-C012 config must be a map, not a list"}},
			"jq program":         {jqCalls, `{"config": {"query": ".a |"}}`, 422, "", []string{"config.query ORB-C033 config.query is no jq program"}},
			"key twice":          {jqCalls, `{"config": {"query": ".", "query": "."}}`, 422, "", []string{`config.query ORB-C007 the key "query" stands here twice`}},
			"long key": {jqCalls, `{"config": {"` + strings.Repeat("k", 3000) + `": 1, "query": "."}}`, 422, "",
				[]string{"config." + strings.Repeat("k", 3000) + " ORB-C031 config has no key"}},
			"an expression":  {jqCalls, `{"config": {"query": "${{ trigger.payload.a }}"}}`, 422, "", []string{"config.query ORB-C052 the config of a call knows ${{ secrets.NAME }} alone"}},
			"not closed":     {jqCalls, `{"config": {"query": "a ${{ b"}}`, 422, "", []string{"config.query ORB-C050 the expression is not closed"}},
			"misplaced":      {jqCalls, `{"config": {"query": "${{ secrets.A }}"}}`, 422, "", []string{"config.query ORB-C058 a secret cannot stand in config.query"}},
			"unknown input":  {"/v1/satellites/exospherehost/call-webhook", `{"config": {"url": "http://localhost/"}, "input": {"bdy": 1}}`, 422, "", []string{"input.bdy ORB-C033 input.bdy is an unknown key (did you mean body?)"}},
			"wrong input":    {"/v1/satellites/exospherehost/call-webhook", `{"config": {"url": "http://localhost/"}, "input": {"form-data": [1]}}`, 422, "", []string{"input.form-data ORB-C033"}},
			"list below":     {"/v1/satellites/exospherehost/call-webhook", `{"config": {"url": "http://localhost/", "headers": [{"a b": "${{ run.id }}"}]}}`, 422, "", []string{`config.headers[0]["a b"] ORB-C052`}},
			"unknown secret": {"/v1/satellites/exospherehost/call-webhook", `{"config": {"url": "${{ secrets.URL }}"}}`, 422, "no value for URL: the vault of exospherehost has no secret URL", nil},
			"no satellite":   {"/v1/satellites/exospherehost/jqq", `{}`, 404, "there is no satellite exospherehost/jqq; did you mean satellite/exospherehost/jq?", nil},
		} {
			t.Run(name, func(t *testing.T) {
				w := b.send("POST", c.target, c.body)
				b.refused(w, c.status, c.detail)
				var p struct{ Diagnostics []cluster.CallDiagnostic }
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
					t.Fatal(err)
				}
				if len(p.Diagnostics) != len(c.want) {
					t.Fatalf("%s", w.Body)
				}
				for i, want := range c.want {
					d := p.Diagnostics[i]
					if got := d.Path + " " + d.Code + " " + d.Message + " (" + d.Hint + ")"; !strings.HasPrefix(got, want) {
						t.Errorf("%q, want %q", got, want)
					}
				}
			})
		}
		b.refused(b.send("POST", jqCalls, `{"config": {"query": "."}}`, "Idempotency-Key: "+strings.Repeat("k", 256)), 400, "at most 255")
	})
}

func TestASatelliteOfAProjectIsCalledAsAnyOther(t *testing.T) {
	inBubble(t, func(b *bench) {
		const target = "/v1/satellites/acme/word-count"
		b.refused(b.send("POST", target, `{}`), 404, "there is no satellite acme/word-count")
		into[Registered](b, b.send("PUT", target, described("acme/word-count", "Count words")), 201)
		b.refused(b.send("POST", target, `{"config": {"least": "two"}}`), 422, "the call of acme/word-count has 1 error")
		x := b.call(target, `{"input": {"text": "a b"}}`, "Idempotency-Key: k")
		if run := into[orbit.Run](b, b.get("/v1/runs/"+x.ID), 200); run.Cluster != "satellite/acme/word-count" || run.Satellites[0].Uses != "acme/word-count" {
			t.Errorf("%+v", run)
		}
		if w := b.send("DELETE", target, ""); w.Code != 204 {
			t.Errorf("removed: %d %s", w.Code, w.Body)
		}
		b.refused(b.send("POST", target, `{"input": {"text": "a b"}}`), 404, "there is no satellite acme/word-count")
		if again := b.call(target, `{"input": {"text": "a b"}}`, "Idempotency-Key: k"); again.ID != x.ID {
			t.Errorf("the same key after it was removed: %+v", again)
		}
		if again := into[orbit.Execution](b, b.get(target+"/"+x.ID), 200); again.ID != x.ID {
			t.Errorf("%+v", again)
		}
	})
}

func TestExecutionsAreFoundUnderTheSatellitesNameAlone(t *testing.T) {
	inBubble(t, func(b *bench) {
		x := b.call(jqCalls, `{"config": {"query": "."}}`)
		b.apply("acme/a")
		run := b.start("acme/a", "")
		b.refused(b.get("/v1/satellites/exospherehost/call-webhook/"+x.ID), 404, "of the satellite exospherehost/call-webhook; `orbit runs")
		b.refused(b.get(jqCalls+"/"+run.ID), 404, "there is no execution")
		b.refused(b.get(jqCalls+"/"+strings.Repeat("a", 20)), 404, "`orbit runs satellite/exospherehost/jq` lists them")
		for _, name := range []string{"*", "%3E", "a.b", "a%20b", strings.Repeat("a", 5000)} {
			b.refused(b.send("POST", "/v1/satellites/exospherehost/"+name, `{}`), 404, "there is no satellite exospherehost/")
			b.refused(b.get("/v1/satellites/exospherehost/"+name+"/"+x.ID), 404, "there is no execution")
		}
		b.refused(b.get(jqCalls+"/"+x.ID+"?wait=soon"), 400, "wait=soon is no duration")
		b.refused(b.send("POST", jqCalls, `{}`, "Authorization: Bearer wrong"), 401, "token")
		b.refused(b.send("POST", jqCalls, `{"input": "`+strings.Repeat("x", maxBody)+`"}`), 413, "bytes")
		if ended := into[orbit.Execution](b, b.get(jqCalls+"/"+x.ID+"?wait=1s"), 200); ended.Status != orbit.RunRunning {
			t.Errorf("%+v", ended)
		}
	})
}

func TestASecretOfACallIsSealedForItsExecution(t *testing.T) {
	inBubble(t, func(b *bench) {
		into[orbit.SecretDoc](b, b.send("PUT", "/v1/secrets/exospherehost/URL", `{"value": "http://localhost/"}`), 201)
		x := b.call("/v1/satellites/exospherehost/call-webhook", `{"config": {"url": "${{ secrets.URL }}"}}`)
		doc, _, err := b.g.store.Runs.Get(b.Context(), x.ID)
		if err != nil || doc.Secrets {
			t.Errorf("%+v, %v", doc, err)
		}
		p, err := b.g.plans.get(b.Context(), doc.Plan)
		if err != nil || len(p.Secrets) != 1 || p.Secrets[0] != (cluster.SecretSource{Name: "URL", Source: "vault", Key: "URL"}) {
			t.Errorf("%+v, %v", p.Secrets, err)
		}
		b.wantKeys("with a secret of the vault", "vault.exospherehost.URL")
	})
}
