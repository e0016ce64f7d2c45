package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"

	"github.com/exospherehost/orbit"
)

// decodeCommand is `orbit decode`.
type decodeCommand struct{}

// Help is the long help.
func (*decodeCommand) Help() string {
	return "Reads one message: the bytes of a bundle or of a record, the same in base64, or what the nats program prints of it. JSON is passed on. For use behind:\n\n" +
		"    nats stream get ORBIT_0 SEQ --json | orbit decode\n\n" +
		"    nats kv get orbit_runs RUN --raw | orbit decode"
}

// maxMessage bounds what is read: no message of Orbit is larger than a few megabytes.
const maxMessage = 64 << 20

// Run decodes stdin.
func (*decodeCommand) Run(_ context.Context, a *app) error {
	data, err := io.ReadAll(io.LimitReader(a.stdin, maxMessage))
	if err != nil {
		return failf("stdin cannot be read: %s", cause(err))
	}
	v, ok := decodeMessage(data)
	switch {
	case ok:
		return a.printJSON(v)
	case len(bytes.TrimSpace(data)) == 0:
		return failf("there is nothing on stdin to decode; pipe a message in, as from `nats stream get ORBIT_0 SEQ --json`")
	}
	return failf("these %s are neither a bundle nor a record of Orbit, nor JSON", one(len(data), "byte"))
}

// decodeMessage gives the JSON form of a message, however it is wrapped.
func decodeMessage(data []byte) (any, bool) {
	if v, ok := decodeFrame(data); ok {
		return v, true
	}
	text := bytes.TrimSpace(data)
	if json.Valid(text) {
		return decodeJSON(text)
	}
	joined := bytes.Join(bytes.Fields(text), nil) // base64 is often broken into lines
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		raw := make([]byte, enc.DecodedLen(len(joined)))
		n, err := enc.Decode(raw, joined)
		if err != nil || n == 0 {
			continue
		}
		if v, ok := decodeFrame(raw[:n]); ok {
			return v, true
		}
		if inner := bytes.TrimSpace(raw[:n]); json.Valid(inner) {
			return json.RawMessage(inner), true
		}
	}
	return nil, false
}

// decodeJSON passes JSON on, but for the message in what `nats stream get --json` prints.
func decodeJSON(text []byte) (any, bool) {
	var message struct {
		Subject string `json:"subject"`
		Seq     uint64 `json:"seq"`
		Data    []byte `json:"data"`
	}
	if json.Unmarshal(text, &message) == nil && message.Subject != "" && message.Seq > 0 && len(message.Data) > 0 {
		if v, ok := decodeFrame(message.Data); ok {
			return v, true
		}
		if json.Valid(message.Data) {
			return json.RawMessage(message.Data), true
		}
		return nil, false
	}
	return json.RawMessage(text), true
}

// decodeFrame decodes the bytes of a record, a bundle, or a blob of either.
func decodeFrame(data []byte) (any, bool) {
	if rec, err := orbit.DecodeRecord(data); err == nil {
		return newRecordFrame(rec), true
	}
	if b, err := orbit.DecodeBundle(data); err == nil {
		return newBundleFrame(b), true
	}
	if len(data) == 0 {
		return nil, false
	}
	if kids, err := orbit.DecodeKids(data); err == nil {
		return newKidFrames(kids), true
	}
	if objects, ok := splitOutputs(data); ok {
		return objects, true
	}
	return nil, false
}

// splitOutputs gives the objects of a piece of outputs; not ok where one of them is damaged.
func splitOutputs(data []byte) ([]orbit.Object, bool) {
	objects := []orbit.Object{}
	for len(data) > 0 {
		o, _, rest, ok := orbit.NextOutput(data)
		if !ok {
			return nil, false
		}
		if _, err := o.Value(); err != nil {
			return nil, false
		}
		objects, data = append(objects, o), rest
	}
	return objects, true
}
