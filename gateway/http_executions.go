package gateway

import (
	"errors"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// maxKey is the length of the longest idempotency key of a call, in bytes: several times that of any id.
const maxKey = 255

// postExecution runs one satellite alone.
func (g *Gateway) postExecution(w http.ResponseWriter, r *http.Request) error {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return badRequest("the Idempotency-Key has %d bytes, and at most %d are taken", len(key), maxKey)
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	doc, repeated, err := g.call(r.Context(), CallRequest{Satellite: clusterName(r), Body: body, Key: key})
	if err != nil {
		return err
	}
	x, err := g.execution(r.Context(), doc, !repeated)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/satellites/"+clusterName(r)+"/"+doc.ID)
	return writeJSON(w, http.StatusAccepted, x)
}

// getExecution gives an execution as of now; with ?wait=10s as soon as it has ended, or after that time as it is then.
func (g *Gateway) getExecution(w http.ResponseWriter, r *http.Request) error {
	wait, err := waitTime(r)
	if err != nil {
		return err
	}
	id, name := r.PathValue("execution_id"), g.called(clusterName(r))
	none := notFound("there is no execution %.40q of the satellite %.130s; `orbit runs %.140s` lists them", id, clusterName(r), name)
	if !orbit.ValidID(id) {
		return none
	}
	doc, err := g.findRun(r.Context(), id)
	if errors.Is(err, kv.ErrNotFound) || err == nil && doc.Cluster != name {
		return none
	}
	if err == nil && wait > 0 {
		doc, err = g.waitRun(r, id, wait)
	}
	if err != nil {
		return err
	}
	x, err := g.execution(r.Context(), doc, false)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, x)
}
