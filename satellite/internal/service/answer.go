package service

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
)

// maxAnswer bounds what is read of a service's answer: they say in a few lines how it went.
const maxAnswer = orbit.MiB

// maxRefusal is how much of an error's body is read: its first lines are shown, the rest is drained so that the
// connection can be used again.
const maxRefusal = 64 * orbit.KiB

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // its first MiB

	line     string // "429 Too Many Requests"
	exchange *Exchange
}

// OK tells whether the service did what it was asked for.
func (a *Answer) OK() bool { return ok(a.Status) }

func ok(status int) bool { return status >= 200 && status <= 299 }

// JSON reads the body; false where it is no JSON of that shape.
func (a *Answer) JSON(into any) bool { return json.Unmarshal(a.Body, into) == nil }

// Refused is the error of an answer that is not 2xx, nil of any other.
func (a *Answer) Refused() error {
	if a.OK() {
		return nil
	}
	return a.exchange.Refusal(a.Status, a.line, a.Header, string(a.Body))
}

// Said gives what the service said, fit for a sentence.
func (a *Answer) Said(text string) string { return Excerpt(a.exchange.Mask.Text(text)) }

// Name is what errors call the exchange.
func (a *Answer) Name() string { return a.exchange.Name }

// ErrTooLarge says that an answer is larger than the limit of who asked.
var ErrTooLarge = errors.New("more than the limit")

// ReadBody reads the body of an answer: of a 2xx all of it, ErrTooLarge past most; of any other as much as is shown.
func ReadBody(resp *http.Response, most orbit.Bytes) ([]byte, error) {
	if !ok(resp.StatusCode) {
		body, _ := readUpTo(resp.Body, maxRefusal) // the status says it already
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, err
	case orbit.Bytes(len(body)) > most:
		return nil, ErrTooLarge
	}
	return body, nil
}

func readUpTo(r io.Reader, most orbit.Bytes) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(most)))
}

// At gives the address of an API below a base, which may end in the path of the API already.
func At(base, path string) string {
	base = strings.TrimRight(base, "/")
	if path = "/" + strings.TrimLeft(path, "/"); strings.HasSuffix(base, path) {
		return base
	}
	return base + path
}
