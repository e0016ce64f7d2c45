package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

func TestClusterIsAppliedLookedAtAndRemoved(t *testing.T) {
	inBubble(t, func(b *bench) {
		first := b.apply("acme/a")
		if !first.Created || first.Version == "" || first.Identifier != "acme/a" || first.Diagnostics == nil {
			b.Errorf("%+v", first)
		}
		again := into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", file("acme/a", ".")), 200)
		if again.Created || again.Version != first.Version {
			b.Errorf("the same file again: %+v, at first %+v", again, first)
		}
		born := into[orbit.ClusterDoc](b, b.get("/v1/clusters/acme/a"), 200)
		time.Sleep(time.Minute)
		other := into[Applied](b, b.send("PUT", "/v1/clusters/acme/a", file("acme/a", "{a: 1}")), 201)
		if !other.Created || other.Version == first.Version {
			b.Errorf("another version: %+v", other)
		}
		doc := into[orbit.ClusterDoc](b, b.get("/v1/clusters/acme/a"), 200)
		if doc.Version != other.Version || !doc.CreatedAt.Equal(born.CreatedAt) || !doc.UpdatedAt.After(doc.CreatedAt) || doc.SLA.String() != "6h" {
			b.Errorf("%+v", doc)
		}
		if w := b.send("DELETE", "/v1/clusters/acme/a", ""); w.Code != 204 || w.Body.Len() != 0 {
			b.Errorf("%d %s", w.Code, w.Body)
		}
		b.refused(b.get("/v1/clusters/acme/a"), 404, "there is no cluster acme/a")
		b.refused(b.send("DELETE", "/v1/clusters/acme/a", ""), 404, "there is no cluster acme/a")
		if p := into[page[orbit.ClusterDoc]](b, b.get("/v1/clusters"), 200); len(p.Data) != 0 {
			b.Errorf("a removed cluster is listed: %+v", p.Data)
		}
		if back := b.apply("acme/a"); back.Version != first.Version {
			b.Errorf("after its removal it cannot come back as it was: %+v", back)
		}
	})
}

func TestFaultyClusterFilesAreRefusedWithAllThatIsWrong(t *testing.T) {
	inBubble(t, func(b *bench) {
		text := strings.Replace(file("acme/a", "."), "sla: 6h", "sla: soon", 1)
		text = strings.Replace(text, "exospherehost/jq", "exospherehost/jk", 1)
		w := b.send("PUT", "/v1/clusters/acme/a", text)
		b.refused(w, 422, "2 errors")
		var p struct {
			Diagnostics []cluster.Diagnostic `json:"diagnostics"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			b.Fatal(err)
		}
		if len(p.Diagnostics) != 2 || p.Diagnostics[0].Line != 4 || p.Diagnostics[1].Line != 7 {
			b.Errorf("%+v", p.Diagnostics)
		}
		for _, c := range []struct {
			name, text string
			status     int
			sentence   string
		}{
			{"of another name", file("acme/b", "."), 422, "describes acme/b, not acme/a"},
			{"empty", "", 422, "error"},
			{"no YAML", "\x00\xff", 422, "error"},
			{"a little too large", file("acme/a", ".") + strings.Repeat("#", MaxClusterFile), 413, "256 KiB"},
			{"one byte too large", strings.Repeat("#", MaxClusterFile+1), 413, "256 KiB"},
			{"much too large", strings.Repeat("#", 4*MaxClusterFile), 413, "256 KiB"},
		} {
			b.refused(b.send("PUT", "/v1/clusters/acme/a", c.text), c.status, c.sentence)
		}
		b.refused(b.get("/v1/clusters/acme/a"), 404, "acme/a")
	})
}

func TestInlineSecretsAreNowhereToBeRead(t *testing.T) {
	const canary = "CANARY-7c1d90"
	inBubble(t, func(b *bench) {
		text := "version: 0.0.1b\ncluster:\n  identifier: acme/a\n  sla: 6h\n  trigger: api-call\n  secrets:\n    - TOKEN: " + canary + "\n" +
			"  satellites:\n    - uses: satellite/exospherehost/call-webhook\n      config: {url: 'http://127.0.0.1:1/', headers: {X: '${{ secrets.TOKEN }}'}}\n"
		if w := b.send("PUT", "/v1/clusters/acme/a", text); w.Code != 201 || strings.Contains(w.Body.String(), canary) {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
		run := b.start("acme/a", `{"secrets": {"TOKEN": "`+canary+`-of-the-run"}}`)
		for _, target := range []string{"/v1/clusters/acme/a", "/v1/clusters", "/v1/runs", "/v1/runs/" + run.ID, "/v1/runs/" + run.ID + "/items"} {
			if w := b.get(target); w.Code != 200 || strings.Contains(w.Body.String(), canary) {
				b.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
		read := 0
		names := b.g.js.StreamNames(b.Context())
		for name := range names.Name() {
			s, err := b.g.js.Stream(b.Context(), name)
			if err != nil {
				b.Fatal(err)
			}
			had := s.CachedInfo().State.Msgs
			err = streams.ReadAll(b.Context(), b.conn, name, ">", 1, func(m streams.Stored) error {
				had--
				read++
				if bytes.Contains(m.Data, []byte(canary)) {
					b.Errorf("%s holds the secret: %.200s", m.Subject, m.Data)
				}
				return nil
			})
			if err != nil || had != 0 {
				b.Errorf("%s: %d messages were not read, %v", name, had, err)
			}
		}
		if read < 5 {
			b.Errorf("only %d messages were read", read)
		}
	})
}
