package remote

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// Bounds of an answer: of all of it, of one of its lines, and of what is read of a refusal, whose first lines are shown.
const (
	maxAnswer  = 64 * orbit.MiB
	maxLine    = 8 * orbit.MiB
	maxRefusal = 64 * orbit.KiB
)

var (
	errTooLarge = errors.New("more than the limit")
	errCut      = errors.New("the answer ended before it was done")
)

// emitError is an error of the one who takes the objects: it is none of the service.
type emitError struct{ error }

func (e emitError) Unwrap() error { return e.error }

// take reads an answer.
func (r *Remote) take(resp *http.Response, inv *satellite.Invocation, emit satellite.Emit) error {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return r.refusal(resp)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		return r.stream(resp.Body, inv, emit)
	}
	return r.whole(resp.Body, inv, emit)
}

// whole reads {"outputs": […]}.
func (r *Remote) whole(body io.Reader, inv *satellite.Invocation, emit satellite.Emit) error {
	text, err := io.ReadAll(io.LimitReader(body, int64(maxAnswer)+1))
	if err != nil {
		return err
	}
	if len(text) > int(maxAnswer) {
		return errTooLarge
	}
	var answer struct {
		Outputs *[]json.RawMessage `json:"outputs"`
		Error   *satellite.Fault   `json:"error"`
		Logs    []satellite.Said   `json:"logs"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || (answer.Outputs == nil) == (answer.Error == nil) {
		return fmt.Errorf(`%w: it is no JSON object with a list "outputs"`, satellite.ErrAnswer)
	}
	for i := range answer.Logs {
		answer.Logs[i].To(&inv.Log)
	}
	if answer.Error != nil {
		return answer.Error.AsError(r.spec.Name, orbit.CodeInternal, false)
	}
	for _, raw := range *answer.Outputs {
		if err := r.emit(&satellite.Answer{Emit: raw}, emit); err != nil {
			return err
		}
	}
	return nil
}

// stream reads one message a line, until one says that all is done.
func (r *Remote) stream(body io.Reader, inv *satellite.Invocation, emit satellite.Emit) error {
	limited := &io.LimitedReader{R: body, N: int64(maxAnswer) + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, 64<<10), int(maxLine))
	for lines.Scan() {
		if limited.N <= 0 {
			return errTooLarge
		}
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		a, err := satellite.ReadAnswer(line)
		switch {
		case err != nil:
			return err
		case a.Emit != nil:
			err = r.emit(a, emit)
		case a.Log != nil:
			a.Log.To(&inv.Log)
		case a.Error != nil:
			return a.Error.AsError(r.spec.Name, orbit.CodeInternal, false)
		case a.Done:
			return nil
		}
		if err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong), limited.N <= 0:
		return errTooLarge
	case err != nil:
		return err
	}
	return errCut
}

func (r *Remote) emit(a *satellite.Answer, emit satellite.Emit) error {
	o, err := a.Object()
	if err != nil {
		return err
	}
	if err := emit(o); err != nil {
		return emitError{err}
	}
	return nil
}
