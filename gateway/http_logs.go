package gateway

import (
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
)

// getLogs gives what was said about the items of a run, by their satellites and by the nodes that ran them, in the order in
// which it was stored: of one item, that in which it was said. ?satellite= and ?level= narrow it.
func (g *Gateway) getLogs(w http.ResponseWriter, r *http.Request) error {
	doc, err := g.runOfPath(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	name, least := q.Get("satellite"), orbit.LogLevel(strings.ToLower(q.Get("level")))
	if name != "" {
		plan, err := g.plans.get(r.Context(), doc.Plan)
		if err != nil {
			return err
		}
		if _, ok := plan.Step(name); !ok {
			return notFound("run %s has no satellite %s", doc.ID, name)
		}
	}
	if least != "" && !least.Valid() {
		return badRequest("there is no level %s; the levels are debug, info, warn and error", least)
	}
	l, err := g.newLogReader(doc.ID, cursorOf(r), name, least)
	if err != nil {
		return err
	}
	return giveTimeline(g, w, r, doc.ID, "log", l)
}

// getEvents gives what happened to a run, in order.
func (g *Gateway) getEvents(w http.ResponseWriter, r *http.Request) error {
	doc, err := g.runOfPath(r)
	if err != nil {
		return err
	}
	e, err := g.newEventReader(doc.ID, cursorOf(r))
	if err != nil {
		return err
	}
	return giveTimeline(g, w, r, doc.ID, "event", e)
}
