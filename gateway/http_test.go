package gateway

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestEveryRouteButTheOpenOnesAsksForTheToken(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, rt := range b.g.routes() {
			method, path, _ := strings.Cut(rt.pattern, " ")
			target := strings.NewReplacer("{project}", "p", "{name}", "n", "{id}", strings.Repeat("0", 20)).Replace(path)
			for _, given := range []string{"", "Bearer wrong", "Bearer", "Basic " + testToken, testToken} {
				w := b.send(method, target, "", "Authorization: "+given)
				if rt.open {
					if w.Code == 401 {
						b.Errorf("%s asks for a token", rt.pattern)
					}
					continue
				}
				b.refused(w, 401, "--token")
				if w.Header().Get("WWW-Authenticate") != "Bearer" {
					b.Errorf("%s: the refusal does not say how to authenticate", rt.pattern)
				}
			}
			if w := b.send(method, target, ""); w.Code == 401 {
				b.Errorf("%s refuses the right token", rt.pattern)
			}
		}
	})
}

func TestUnknownRoutesAreRefusedInWordsToWhoHasTheToken(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, c := range [][2]string{{"GET", "/"}, {"GET", "/v1"}, {"GET", "/v2/runs"}, {"POST", "/v1/runs"}, {"PATCH", "/v1/clusters/a/b"}, {"DELETE", "/healthz"}} {
			b.refused(b.send(c[0], c[1], ""), 404, "there is no "+c[0]+" "+c[1])
			b.refused(b.send(c[0], c[1], "", "Authorization: Bearer wrong"), 401, "token")
		}
	})
}

func TestGatewayWithoutATokenIsOpen(t *testing.T) {
	g := &Gateway{}
	r := httptest.NewRequest("GET", "/v1/runs", nil)
	if !g.allowed(r) {
		t.Error("a gateway that has no token asks for one")
	}
}

func TestGatewayIsReadyOnlyWhileItsServerAnswers(t *testing.T) {
	inBubble(t, func(b *bench) {
		if w := b.get("/readyz"); w.Code != 200 {
			b.Errorf("not ready: %s", w.Body)
		}
		b.conn.Close()
		b.refused(b.get("/readyz"), 503, "NATS")
		if w := b.get("/healthz"); w.Code != 200 {
			b.Errorf("a gateway without NATS is alive all the same: %s", w.Body)
		}
	})
}

func TestListsComeInPages(t *testing.T) {
	inBubble(t, func(b *bench) {
		want := []string{"acme/a", "acme/b", "acme/c", "beta/a", "beta/b"}
		for _, i := range []int{3, 0, 4, 2, 1} {
			b.apply(want[i])
		}
		for _, size := range []string{"1", "2", "5", "1000", "100000"} {
			var got []string
			target := "/v1/clusters?limit=" + size
			for pages := 0; ; pages++ {
				p := into[page[orbit.ClusterDoc]](b, b.get(target), 200)
				for _, c := range p.Data {
					got = append(got, c.Identifier)
				}
				if p.Next == nil {
					break
				}
				if pages > len(want) {
					b.Fatal("the list has no end")
				}
				target = "/v1/clusters?limit=" + size + "&cursor=" + *p.Next
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				b.Errorf("in pages of %s: %v, want %v", size, got, want)
			}
		}
		if p := into[page[orbit.ClusterDoc]](b, b.get("/v1/clusters?cursor=99"), 200); len(p.Data) != 0 || p.Next != nil {
			b.Errorf("past the end: %+v", p)
		}
		for _, list := range []string{"clusters", "runs", "nodes", "queues", "satellites"} {
			for _, limit := range []string{"0", "-1", "ten", "1.5"} {
				b.refused(b.get("/v1/"+list+"?limit="+limit), 400, "limit="+limit)
			}
			for _, cursor := range []string{"-1", "x"} {
				b.refused(b.get("/v1/"+list+"?cursor="+cursor), 400, "cursor="+cursor)
			}
		}
	})
}

func TestEmptyListsAreListsAndNotNull(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, list := range []string{"clusters", "runs", "nodes"} {
			if got := strings.TrimSpace(b.get("/v1/" + list).Body.String()); got != `{"data":[],"next":null}` {
				b.Errorf("%s: %s", list, got)
			}
		}
	})
}

func TestNodesAreListedByTheirHeartbeats(t *testing.T) {
	inBubble(t, func(b *bench) {
		state := func() string {
			p := into[page[orbit.NodeDoc]](b, b.get("/v1/nodes"), 200)
			if len(p.Data) != 1 {
				return "absent"
			}
			return p.Data[0].State
		}
		beat := func(state string) {
			answer, err := b.conn.Request("orbit.node.n1", []byte(`{"node":{"name":"n1","state":"`+state+`","class":"cpu","slots":{"total":4,"busy":1}}}`), time.Second)
			if err != nil || !strings.Contains(string(answer.Data), `"queues":[`) {
				b.Fatalf("a heartbeat is answered with %v, %v", answer, err)
			}
		}
		beat("alive")
		if got := state(); got != "alive" {
			b.Errorf("after a heartbeat: %s", got)
		}
		time.Sleep(nodeSilent + time.Second)
		if got := state(); got != "dead" {
			b.Errorf("after %s of silence: %s", nodeSilent, got)
		}
		beat("draining")
		if got := state(); got != "draining" {
			b.Errorf("draining: %s", got)
		}
		beat("left")
		if got := state(); got != "left" {
			b.Errorf("after it left: %s", got)
		}
		time.Sleep(nodeForget + time.Second)
		if got := state(); got != "absent" {
			b.Errorf("long after it left: %s", got)
		}
	})
}

func TestAHeartbeatUnderAnothersNameIsIgnored(t *testing.T) {
	inBubble(t, func(b *bench) {
		if m, err := b.conn.Request("orbit.node.n1", []byte(`{"node":{"name":"n2","state":"alive"}}`), time.Second); err == nil {
			b.Errorf("it was answered: %s", m.Data)
		}
		if p := into[page[orbit.NodeDoc]](b, b.get("/v1/nodes"), 200); len(p.Data) != 0 {
			b.Errorf("it is listed: %+v", p.Data)
		}
	})
}

func TestSatellitesAreListedWithTheirSchemas(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := into[page[orbit.SatelliteSpec]](b, b.get("/v1/satellites"), 200)
		if len(p.Data) != 2 || p.Data[0].Name != "exospherehost/call-webhook" || len(p.Data[1].Config) == 0 {
			b.Errorf("%+v", p.Data)
		}
	})
}

func TestQueuesTellHowMuchWaitsAndSinceWhen(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		began := time.Now()
		time.Sleep(time.Second)
		b.start("acme/a", "")
		b.start("acme/a", "")
		n := 0
		for _, q := range into[page[orbit.QueueDoc]](b, b.get("/v1/queues"), 200).Data {
			n += q.Waiting
			if q.Waiting > 0 && (q.Tier != "6h" || q.Class != "cpu" || q.Pool != orbit.CorePool || q.Oldest == nil || q.Oldest.Before(began)) {
				b.Errorf("%+v", q)
			}
			if q.Waiting == 0 && q.Oldest != nil {
				b.Errorf("an empty queue has something old: %+v", q)
			}
		}
		if n != 2 {
			b.Errorf("%d bundles wait, want 2", n)
		}
	})
}
