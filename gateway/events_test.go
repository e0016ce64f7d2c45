package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestFollowedEventsEndWithTheRun(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "").ID
		time.AfterFunc(time.Minute, func() { b.send("POST", "/v1/runs/"+run+"/cancel", "") })
		body := b.send("GET", "/v1/runs/"+run+"/events", "", "Accept: text/event-stream").Body.String()
		at := 0
		for _, want := range []string{"id: 1.0.0\n", `"kind":"accepted"`, `"kind":"running"`, `"kind":"cancelled"`, "event: end\n"} {
			i := strings.Index(body[at:], want)
			if i < 0 {
				b.Fatalf("%s is missing, or out of order, in\n%s", want, body)
			}
			at += i
		}
	})
}

func TestEventsGoOnFromEveryCursor(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "").ID
		b.send("POST", "/v1/runs/"+run+"/cancel", "")
		all := into[page[orbit.RunEvent]](b, b.get("/v1/runs/"+run+"/events"), 200).Data
		target, n := "/v1/runs/"+run+"/events?limit=1", 0
		for next := ""; ; n++ {
			p := into[page[orbit.RunEvent]](b, b.get(target+next), 200)
			if len(p.Data) != 1 || p.Data[0] != all[n] {
				b.Fatalf("page %d is %+v, want %+v", n, p.Data, all[n])
			}
			if p.Next == nil {
				break
			}
			next = "&cursor=" + *p.Next
		}
		if n+1 != len(all) || n < 2 {
			b.Errorf("%d pages of %d events", n+1, len(all))
		}
		for _, cursor := range []string{"x", "1", "-1.0.0", "2.1.-1", "2.1.0x", "2.1.0ll"} {
			b.refused(b.get("/v1/runs/"+run+"/events?cursor="+cursor), 400, "cursor="+cursor)
		}
		b.refused(b.get("/v1/runs/"+strings.Repeat("0", 20)+"/events"), 404, "there is no run")
	})
}

func TestStreamsThatAreBrokenOffDoNotSayThatTheyAreComplete(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "").ID
		time.AfterFunc(time.Minute, b.g.EndStreams)
		for _, list := range []string{"events", "logs"} {
			if body := b.send("GET", "/v1/runs/"+run+"/"+list, "", "Accept: text/event-stream").Body.String(); strings.Contains(body, "event: end") {
				b.Errorf("%s says that it is complete:\n%s", list, body)
			}
		}
	})
}
