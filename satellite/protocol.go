package satellite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
)

// Protocol is the number of the protocol that Request and Answer make up, between a node and a satellite outside its
// process.
const Protocol = 1

// Request is one attempt of one item, as it goes to a satellite outside this process: through a pipe or over HTTP. Secrets
// that the config holds are opened in it, so it goes to nobody else.
type Request struct {
	ID             string         `json:"id"` // the answers' id
	Config         map[string]any `json:"config"`
	Input          any            `json:"input"`
	Incoming       orbit.Object   `json:"incoming,omitempty"` // the incoming object, where the step has an input of its own
	Run            string         `json:"run"`
	Item           string         `json:"item"`
	Attempt        int            `json:"attempt"`
	IdempotencyKey string         `json:"idempotency_key"`
}

// NewRequest makes the request of an invocation.
func NewRequest(id string, inv *Invocation) *Request {
	r := &Request{ID: id, Config: inv.Config, Input: inv.Input, Run: inv.Run, Item: inv.Item(), Attempt: inv.Attempt, IdempotencyKey: inv.IdempotencyKey()}
	if r.Config == nil {
		r.Config = map[string]any{}
	}
	if inv.HasInput {
		r.Incoming = inv.Incoming
	}
	return r
}

// Encode writes the request as JSON, on one line and without an end of line.
func (r *Request) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "%s: config or input cannot be written as JSON: %v", r.Item, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Answer is one message of a satellite outside this process. One of its fields says what it is.
type Answer struct {
	Orbit int             `json:"orbit"` // its first message: the protocol it speaks
	ID    string          `json:"id"`    // the request's, in everything that follows
	Emit  json.RawMessage `json:"emit"`  // an object that it returns
	Done  bool            `json:"done"`  // all is returned
	Error *Fault          `json:"error"` // the attempt has failed; nothing follows
	Log   *Said           `json:"log"`   // something for the run's log
}

// ErrAnswer is about a message that is no answer.
var ErrAnswer = errors.New("a message that is no answer of the protocol")

// ReadAnswer reads one message. Fields that it does not know are passed over; a message without any that it knows is none.
func ReadAnswer(text []byte) (*Answer, error) {
	a := &Answer{}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON object of its form", ErrAnswer)
	}
	kinds := 0
	for _, there := range []bool{a.Orbit != 0, a.Emit != nil, a.Done, a.Error != nil, a.Log != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, fmt.Errorf("%w: it holds not one of orbit, emit, done, error and log", ErrAnswer)
	}
	return a, nil
}

// Object is the object that an answer emits.
func (a *Answer) Object() (orbit.Object, error) {
	o, err := orbit.ParseObject(a.Emit)
	if err != nil || !o.IsMap() {
		return nil, fmt.Errorf("%w: what it emits is no object", ErrAnswer)
	}
	return o, nil
}

// Fault is a failure in the words of a satellite outside this process.
type Fault struct {
	Code       string  `json:"code"`
	Message    string  `json:"message"`
	Retry      *bool   `json:"retry"`       // another attempt may help; left out: no, unless retry_after or the HTTP status says so
	RetryAfter float64 `json:"retry_after"` // seconds; 0: as the step says
}

// MaxRetryAfter caps the wait that a satellite may ask for: a run has a deadline, and an item that sleeps for a day misses it.
const MaxRetryAfter = time.Hour

// maxMessage bounds a sentence of a satellite, in bytes.
const maxMessage = 4 << 10

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// AsError gives the failure its form. Otherwise is whether it is tried again where it does not say.
func (f *Fault) AsError(name string, code orbit.Code, otherwise bool) *orbit.Error {
	e := &orbit.Error{Code: code, Message: Shorten(f.Message, maxMessage), Retryable: otherwise}
	if codePattern.MatchString(f.Code) {
		e.Code = orbit.Code(f.Code)
	}
	if e.Message == "" {
		e.Message = name + " failed and gave no reason"
	}
	if f.RetryAfter > 0 && !math.IsNaN(f.RetryAfter) {
		e.After = time.Duration(min(f.RetryAfter, MaxRetryAfter.Seconds()) * float64(time.Second))
		e.Retryable = true
	}
	if f.Retry != nil {
		e.Retryable = *f.Retry
	}
	if !e.Retryable {
		e.After = 0
	}
	return e
}

// Said is a log record in the words of a satellite outside this process.
type Said struct {
	Level   string         `json:"level"` // debug, info, warn or error; anything else is info
	Message string         `json:"message"`
	Fields  map[string]any `json:"fields"`
}

// To writes the record.
func (s *Said) To(log *zerolog.Logger) {
	level := zerolog.InfoLevel
	switch s.Level {
	case "debug":
		level = zerolog.DebugLevel
	case "warn", "warning":
		level = zerolog.WarnLevel
	case "error":
		level = zerolog.ErrorLevel
	}
	for _, own := range []string{zerolog.LevelFieldName, zerolog.MessageFieldName, zerolog.TimestampFieldName} {
		delete(s.Fields, own)
	}
	log.WithLevel(level).Fields(s.Fields).Msg(Shorten(s.Message, maxMessage))
}

// Shorten cuts a text to a number of bytes, and mends what is no UTF-8.
func Shorten(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
