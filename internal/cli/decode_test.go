package cli_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/exospherehost/orbit"
)

var (
	root    = orbit.BundleID("get-files", runID, 0)
	aBundle = &orbit.Bundle{ID: root, Run: runID, Step: "get-files", Parent: runID, Plan: "0123456789ab", Accepted: 946684800000, Deadline: 946706400000,
		TriggerAt: 946684800000, TriggerType: "api-call", Items: []orbit.Item{
			{Lineage: "0", Value: orbit.Value{Object: orbit.MustObject(map[string]any{"month": 3})}, Live: []orbit.Value{{Ref: &orbit.Ref{Blob: "b1", Offset: 2, Length: 40}}}},
		}}
	aRecord = &orbit.Record{Bundle: root, Run: runID, Step: "get-files", Parent: runID, Node: "a", Started: 946684800000, Finished: 946684801500,
		Counts: orbit.Counts{Succeeded: 1, Failed: 1}, Born: []orbit.Born{{Step: "parse-pdf", Items: 2}}, Usage: orbit.Usage{orbit.PromptTokens: 9},
		Kids: orbit.Payload{Inline: orbit.AppendKid(nil, orbit.Kid{Kind: orbit.KidChild, Step: "parse-pdf", Count: 2})},
		Results: []orbit.Result{{Lineage: "0", State: orbit.ItemSucceeded, Attempt: 1, Outputs: 1, Usage: orbit.Usage{orbit.PromptTokens: 9}},
			{Lineage: "1", State: orbit.ItemFailed, Attempt: 2, Error: &orbit.Error{Code: orbit.CodeInvalidInput, Message: "broken"}}},
		Outputs: orbit.Payload{Inline: orbit.AppendOutput(nil, orbit.MustObject(map[string]any{"a": 1}))}}
)

const bundleJSON = `{
  "type": "bundle",
  "id": "0k995czpn131q2ezch8c",
  "run": "0123456789abcdefghjk",
  "step": "get-files",
  "parent": "0123456789abcdefghjk",
  "ordinal": 0,
  "plan": "0123456789ab",
  "accepted": "2000-01-01T00:00:00Z",
  "deadline": "2000-01-01T06:00:00Z",
  "trigger_at": "2000-01-01T00:00:00Z",
  "trigger_type": "api-call",
  "items": [
    {
      "lineage": "0",
      "attempt": 0,
      "value": {
        "month": 3
      },
      "live": [
        {
          "blob": "b1",
          "offset": 2,
          "length": 40
        }
      ]
    }
  ]
}
`

const recordJSON = `{
  "type": "record",
  "bundle": "0k995czpn131q2ezch8c",
  "run": "0123456789abcdefghjk",
  "step": "get-files",
  "parent": "0123456789abcdefghjk",
  "ordinal": 0,
  "node": "a",
  "started": "2000-01-01T00:00:00Z",
  "finished": "2000-01-01T00:00:01.5Z",
  "counts": {
    "succeeded": 1,
    "failed": 1,
    "skipped": 0,
    "retry": 0,
    "again": 0
  },
  "born": [
    {
      "step": "parse-pdf",
      "items": 2
    }
  ],
  "failure_items": 0,
  "usage": {
    "prompt-tokens": 9
  },
  "kids": [
    {
      "kind": "child",
      "step": "parse-pdf",
      "ordinal": 0,
      "first": 0,
      "count": 2
    }
  ],
  "results": [
    {
      "lineage": "0",
      "state": "succeeded",
      "attempt": 1,
      "outputs": 1,
      "usage": {
        "prompt-tokens": 9
      }
    },
    {
      "lineage": "1",
      "state": "failed",
      "attempt": 2,
      "outputs": 0,
      "error": {
        "code": "invalid_input",
        "message": "broken",
        "retryable": false
      }
    }
  ],
  "outputs": [
    {
      "a": 1
    }
  ]
}
`

func TestDecodeShowsWhatTravelsAsJSON(t *testing.T) {
	bundle, record := aBundle.Encode(), aRecord.Encode()
	chunked := *aRecord
	chunked.Outputs = orbit.Payload{Chunks: []orbit.Chunk{{Blob: "b2", Size: 9, Count: 3}}}
	printed := func(data []byte) string { // by `nats stream get --json`
		return fmt.Sprintf(`{"subject":"orbit.record.0.%s.%s","seq":7,"hdrs":"TkFUUy8xLjANCg0K","data":%q,"time":"2000-01-01T00:00:00Z"}`, runID, root, base64.StdEncoding.EncodeToString(data))
	}
	for name, c := range map[string]struct{ in, want string }{
		"a bundle":             {string(bundle), bundleJSON},
		"a bundle in base64":   {base64.StdEncoding.EncodeToString(bundle) + "\n", bundleJSON},
		"a bundle of nats":     {printed(bundle), bundleJSON},
		"a record":             {string(record), recordJSON},
		"a record in base64":   {base64.RawURLEncoding.EncodeToString(record), recordJSON},
		"a record of nats":     {printed(record) + "\n", recordJSON},
		"a document":           {`{"id":"x","n":12345678901234567890}`, "{\n  \"id\": \"x\",\n  \"n\": 12345678901234567890\n}\n"},
		"a document of nats":   {printed([]byte(`{"state":"running"}`)), "{\n  \"state\": \"running\"\n}\n"},
		"a document in base64": {base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)), "{\n  \"a\": 1\n}\n"},
		"a blob of outputs":    {string(orbit.AppendOutput(nil, orbit.MustObject("x"))), "[\n  \"x\"\n]\n"},
		"a blob of bundles": {string(orbit.AppendKid(nil, orbit.Kid{Kind: orbit.KidRetry, Step: "jq", Ordinal: 2, First: 4, Count: 1, Due: 946684800000})),
			"[\n  {\n    \"kind\": \"retry\",\n    \"step\": \"jq\",\n    \"ordinal\": 2,\n    \"first\": 4,\n    \"count\": 1,\n    \"due\": \"2000-01-01T00:00:00Z\"\n  }\n]\n"},
	} {
		t.Run(name, func(t *testing.T) { invoke(call{args: orbitArgs("decode"), stdin: c.in}).expect(t, 0, c.want, "") })
	}
}

func TestDecodeRefusesOtherBytes(t *testing.T) {
	for _, in := range []string{"\x9c\x01\x02", "hello there", "{", "\x00", `{"subject":"a","seq":1,"data":"AAAA"}`} {
		got := invoke(call{args: orbitArgs("decode"), stdin: in})
		if got.code != 1 || got.stdout != "" || got.stderr == "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", in, got.code, got.stdout, got.stderr)
		}
	}
}
