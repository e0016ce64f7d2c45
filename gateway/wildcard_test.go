package gateway

import (
	"testing"

	"github.com/exospherehost/orbit"
)

// Names become words of subjects: one that stands for many must not reach the server.
func TestANameThatStandsForManyNamesNothing(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		b.apply("acme/b")
		for _, target := range []string{"/v1/clusters/acme/*", "/v1/clusters/acme/%3E", "/v1/clusters/*/a", "/v1/satellites/acme/*", "/v1/clusters/acme/a.b", "/v1/clusters/acme/a%20b"} {
			b.refused(b.send("DELETE", target, ""), 404, "")
			if target[:12] == "/v1/clusters" {
				b.refused(b.get(target), 404, "")
				b.refused(b.send("POST", target+"/runs", ""), 404, "")
			}
		}
		if all := into[page[orbit.ClusterDoc]](b, b.get("/v1/clusters"), 200); len(all.Data) != 2 {
			b.Errorf("%d clusters are left of 2", len(all.Data))
		}
	})
}
