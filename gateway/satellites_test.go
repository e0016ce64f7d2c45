package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/jq"
	"github.com/exospherehost/orbit/streams"
)

// described is what `orbit satellites register` sends.
func described(name, title string) string {
	project, _, _ := strings.Cut(name, "/")
	return fmt.Sprintf(`{"name": %q, "kind": "custom", "title": %q, "config": {"type": "object", "additionalProperties": false, "properties": {"least": {"type": "integer"}}},
		"pool": "project-%s", "resources": {}, "timeout": 60000000000, "bundle_hint": 16}`, name, title, project)
}

// using is a cluster file with one step.
func using(identifier, uses string) string {
	return "version: 0.0.1b\ncluster:\n  identifier: " + identifier + "\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: " + uses + "\n      config: {least: 1}\n"
}

func TestASatelliteIsRegisteredUsedAndRemoved(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.refused(b.send("PUT", "/v1/clusters/acme/a", using("acme/a", "acme/count")), 422, "1 error")
		first := into[Registered](b, b.send("PUT", "/v1/satellites/acme/count", described("acme/count", "Count words")), 201)
		if !first.Created || first.Version == "" || first.Name != "acme/count" {
			b.Errorf("%+v", first)
		}
		if again := into[Registered](b, b.send("PUT", "/v1/satellites/acme/count", described("acme/count", "Count words")), 200); again.Created || again.Version != first.Version {
			b.Errorf("the same again: %+v", again)
		}
		if other := into[Registered](b, b.send("PUT", "/v1/satellites/acme/count", described("acme/count", "Count all words")), 201); other.Version == first.Version {
			b.Errorf("another description: %+v", other)
		}
		list := into[page[satellite.Spec]](b, b.get("/v1/satellites"), 200)
		if i := slices.IndexFunc(list.Data, func(s satellite.Spec) bool { return s.Name == "acme/count" }); i != 0 || list.Data[0].Title != "Count all words" || len(list.Data) != 3 {
			b.Errorf("%+v", list.Data)
		}

		if w := b.send("PUT", "/v1/clusters/acme/a", using("acme/a", "acme/count")); w.Code != 201 {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
		queue := streams.Queue{Class: "cpu", Pool: "project-acme", Tier: "6h"}
		if !slices.Contains(b.g.topology.Queues(), queue) {
			b.Errorf("its pool has no queue; there are %v", b.g.topology.Queues())
		}
		w := b.send("PUT", "/v1/clusters/other/a", using("other/a", "acme/count"))
		b.refused(w, 422, "1 error")
		if !strings.Contains(w.Body.String(), "is the project acme's own") {
			b.Errorf("%s", w.Body)
		}
		b.refused(b.send("DELETE", "/v1/satellites/acme/count", ""), 409, "is used by acme/a")
		b.send("DELETE", "/v1/clusters/acme/a", "")
		if w := b.send("DELETE", "/v1/satellites/acme/count", ""); w.Code != 204 {
			b.Errorf("%d %s", w.Code, w.Body)
		}
		b.refused(b.send("DELETE", "/v1/satellites/acme/count", ""), 404, "no satellite \"acme/count\" is registered")
		b.refused(b.send("PUT", "/v1/clusters/acme/a", using("acme/a", "acme/count")), 422, "1 error")
		if back := into[Registered](b, b.send("PUT", "/v1/satellites/acme/count", described("acme/count", "Count words")), 201); back.Version != first.Version {
			b.Errorf("after its removal it cannot come back: %+v", back)
		}
	})
}

func TestWhatIsNoDescriptionIsNotRegistered(t *testing.T) {
	inBubble(t, func(b *bench) {
		change := func(old, now string) string { return strings.Replace(described("acme/count", "Count"), old, now, 1) }
		for name, c := range map[string]struct {
			body     string
			status   int
			sentence string
		}{
			"no JSON":          {"{", 400, "no description of a satellite"},
			"another name":     {described("acme/other", "Count"), 422, `is of "acme/other", not acme/count`},
			"another pool":     {change("project-acme", "core"), 422, "pool: it must be project-acme"},
			"a built-in kind":  {change("custom", "exosphere"), 422, "neither custom nor configured"},
			"no schema":        {change(`"type": "object"`, `"type": "objekt"`), 422, "config: it is no JSON Schema"},
			"a large schema":   {change(`"type": "object"`, `"type": "object", "description": "`+strings.Repeat("x", 70<<10)+`"`), 422, "more than 64 KiB"},
			"much too large":   {strings.Repeat(" ", MaxSatellite+1), 413, "bytes"},
			"a timeout of 0":   {change("60000000000", "0"), 422, "timeout"},
			"an alias":         {change(`"kind"`, `"aliases": ["exospherehost/jq"], "kind"`), 422, "one name"},
			"a schema far off": {change(`{"type": "object",`, `{"$ref": "https://example.com/a.json",`), 422, "cannot be fetched"},
		} {
			w := b.send("PUT", "/v1/satellites/acme/count", c.body)
			if b.refused(w, c.status, c.sentence); w.Code == 201 {
				b.Errorf("%s is registered", name)
			}
		}
		b.refused(b.send("PUT", "/v1/satellites/exospherehost/jq", described("exospherehost/jq", "Another")), 422, "the project exospherehost is that of the built-in satellites")
	})
}

func TestAnotherGatewayKnowsARegisteredSatelliteAtOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		registry, err := satellite.NewRegistry(jq.New())
		if err != nil {
			b.Fatal(err)
		}
		second, err := Start(b.Context(), Options{Name: "second", Version: "1.2.3", Conn: b.conn, Registry: registry, Classes: placement.DefaultClasses(), Vault: b.g.opts.Vault, Log: zerolog.Nop()})
		if err != nil {
			b.Fatal(err)
		}
		defer second.Stop()
		b.send("PUT", "/v1/satellites/acme/count", described("acme/count", "Count words"))
		if _, err := second.apply(b.Context(), "", []byte(using("acme/a", "satellite/acme/count"))); err != nil {
			b.Errorf("another gateway: %v", err)
		}
		if _, err := second.apply(b.Context(), "", []byte(using("acme/a", "acme/cuont"))); err == nil {
			b.Error("a misspelt one is known")
		} else if text, _ := json.Marshal(asProblem(err).Diagnostics); !strings.Contains(string(text), "did you mean satellite/acme/count?") {
			b.Errorf("%s", text)
		}
	})
}
