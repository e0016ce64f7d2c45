package llm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/llm"
)

var asJSON = fields{"output-format": "json", "output-schema": `{"company": string, "revenue": number,}`}

const schemaText = `{"type":"object","properties":{"company":{"type":"string"},"revenue":{"type":"number"}},"required":["company","revenue"],"additionalProperties":false}`

func TestTheServerIsAskedToEnforceTheSchema(t *testing.T) {
	server := serve(t, says(`{"company":"Acme","revenue":12.5}`, "stop"))
	m := bind(t, llm.Endpoint{URL: server.URL})
	out, err := run(t, m, asJSON, hello)
	wantObject(t, out, err, fields{"company": "Acme", "revenue": 12.5})
	want := fields{"type": "json_schema", "json_schema": fields{"name": "answer", "strict": true, "schema": fields{
		"type": "object", "required": []any{"company", "revenue"}, "additionalProperties": false,
		"properties": fields{"company": fields{"type": "string"}, "revenue": fields{"type": "number"}}}}}
	if d := cmp.Diff(want, server.got[0]["response_format"]); d != "" {
		t.Errorf("response_format (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]any{fields{"role": "user", "content": "hello"}}, server.got[0]["messages"]); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	// A schema with a key that may be missing is not of the strict kind.
	if _, err := run(t, m, fields{"output-format": "json", "output-schema": fields{"type": "object", "properties": fields{"company": fields{"type": "string"}}}}, hello); err != nil {
		t.Fatal(err)
	}
	format, _ := server.got[1]["response_format"].(fields)
	schema, _ := format["json_schema"].(fields)
	if schema["strict"] != false {
		t.Errorf("%v", format)
	}
}

func TestJSONIsFoundInWhatModelsPutAroundIt(t *testing.T) {
	want := fields{"company": "Acme", "revenue": 12}
	const plain = `{"company": "Acme", "revenue": 12}`
	for name, text := range map[string]string{
		"nothing":                     "  " + plain + "\n",
		"a fence":                     "```json\n" + plain + "\n```",
		"a fence without a language":  "```\n" + plain + "\n```\n",
		"a fence in one line":         "```" + plain + "```",
		"sentences":                   "Here it is: " + plain + " I hope that it helps.",
		"sentences and a fence":       "Here {it} is:\n\n```json\n" + plain + "\n```\nDone.",
		"reasoning":                   "<think>{\"company\": 1}</think>\n" + plain,
		"reasoning that was begun":    "{\"company\"?}\n</think>\n\n" + plain,
		"reasoning and a fence":       "<think>\n```json\n{}\n```\n</think>```json\n" + plain + "\n```",
		"a fence that is not closed":  "```json\n" + plain,
		"the same spaced over lines":  strings.ReplaceAll(plain, " ", "\n\t"),
		"a byte that is no character": "\xff" + plain,
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, says(text, "stop"))
			out, err := run(t, bind(t, llm.Endpoint{URL: server.URL}), asJSON, hello)
			wantObject(t, out, err, want)
			if len(server.got) != 1 {
				t.Errorf("it was asked %d times", len(server.got))
			}
		})
	}
}

func TestAnAnswerThatDoesNotFitIsMendedOnce(t *testing.T) {
	for name, c := range map[string]struct{ says, wrong string }{
		"a key too few":       {`{"company": "Acme"}`, "revenue is required"},
		"another type":        {`{"company": "Acme", "revenue": "12"}`, "revenue must be a number, not a string"},
		"a list":              {`[1, 2]`, "it is no JSON object"},
		"no JSON":             {`I cannot say.`, "it is no JSON"},
		"nothing":             {``, "the answer is empty"},
		"several things":      {`{"revenue": true, "x": 1}`, "company is required; revenue must be a number, not true or false; x is an unknown key"},
		"JSON that breaks in": {`{"company": "Acme", "revenue": 1`, "it is no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, says(c.says, "stop"), says(`{"company": "Acme", "revenue": 12}`, "stop"))
			out, err := run(t, bind(t, llm.Endpoint{URL: server.URL}), asJSON, hello)
			wantObject(t, out, err, fields{"company": "Acme", "revenue": 12})
			messages, _ := server.got[1]["messages"].([]any)
			last, _ := messages[len(messages)-1].(fields)
			text, _ := last["content"].(string)
			if last["role"] != "user" || !strings.Contains(text, "That is not the JSON that was asked for: ") || !strings.Contains(text, c.wrong) {
				t.Errorf("it was told %v", last)
			}
			if c.says != "" {
				if d := cmp.Diff(fields{"role": "assistant", "content": c.says}, messages[1]); d != "" {
					t.Errorf("its answer (-want +got):\n%s", d)
				}
			}
			if a, b := server.headers[0].Get("Idempotency-Key"), server.headers[1].Get("Idempotency-Key"); a == b || !strings.HasPrefix(b, a) {
				t.Errorf("the keys are %s and %s", a, b)
			}

			_, err = run(t, bind(t, llm.Endpoint{URL: serve(t, says(c.says, "stop")).URL}), asJSON, hello)
			wantError(t, err, orbit.Permanent(orbit.CodeRejected, "answered twice with what is not the JSON that was asked for: %s", c.wrong))
		})
	}
}

// Servers that cannot enforce a schema say so in these words; the schema then goes into the prompt.
func TestAServerThatCannotEnforceASchemaGetsItInThePrompt(t *testing.T) {
	const all, one = true, false
	for name, c := range map[string]struct {
		reply reply
		all   bool // it is not asked again, whatever the schema
	}{
		"OpenAI, an older model": {reply{status: 400, body: `{"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model. Learn more about supported models at the Structured Outputs guide: https://platform.openai.com/docs/guides/structured-outputs","type":"invalid_request_error","param":null,"code":null}}`}, all},
		"OpenAI, a keyword":      {reply{status: 400, body: `{"error":{"message":"Invalid schema for response_format 'answer': In context=(), 'minimum' is not permitted.","type":"invalid_request_error","param":"response_format","code":null}}`}, one},
		"vLLM, a keyword":        {reply{status: 400, body: `{"object":"error","message":"The provided JSON schema contains features not supported by xgrammar.","type":"BadRequestError","param":null,"code":400}`}, one},
		"llama.cpp, a keyword":   {reply{status: 400, body: `{"error":{"code":400,"message":"JSON schema conversion failed:\nUnrecognized schema: {} failed to parse grammar","type":"invalid_request_error"}}`}, one},
		"TGI":                    {reply{status: 422, kind: "text/plain", body: "Failed to deserialize the JSON body into the target type: response_format: missing field `value` at line 1 column 300"}, all},
		"a strict server":        {reply{status: 422, body: `{"detail":[{"type":"extra_forbidden","loc":["body","response_format"],"msg":"Extra inputs are not permitted"}]}`}, all},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.reply, says(`{"company":"Acme","revenue":1}`, "stop"))
			m := bind(t, llm.Endpoint{URL: server.URL})
			input := fields{"messages": []any{fields{"role": "user", "content": "hello"}, fields{"role": "assistant", "content": "well"}}}
			for range 2 {
				out, err := run(t, m, asJSON, input)
				wantObject(t, out, err, fields{"company": "Acme", "revenue": 1})
			}
			if len(server.got) != 3 {
				t.Fatalf("%d requests; the refusal was not remembered", len(server.got))
			}
			for _, body := range server.got[1:] {
				messages, _ := body["messages"].([]any)
				first, _ := messages[0].(fields)
				text, _ := first["content"].(string)
				if body["response_format"] != nil || !strings.HasPrefix(text, "hello\n\nAnswer with one JSON object and nothing else") || !strings.HasSuffix(text, schemaText) {
					t.Errorf("%v", body)
				}
			}
			if _, err := run(t, m, fields{"output-format": "json"}, hello); err != nil {
				t.Fatal(err)
			}
			if asked := server.got[3]["response_format"] != nil; asked == c.all {
				t.Errorf("another schema is sent: %t", asked)
			}
		})
	}
}

func TestWhetherTheSchemaIsSentCanBeSet(t *testing.T) {
	never := serve(t, says(`{"company":"Acme","revenue":1}`, "stop"))
	if _, err := run(t, bind(t, llm.Endpoint{URL: never.URL, Schema: llm.Never}), asJSON, hello); err != nil || never.got[0]["response_format"] != nil {
		t.Errorf("never: %v, %v", err, never.got[0])
	}
	always := serve(t, reply{status: 400, body: `{"error":{"message":"response_format is not supported"}}`})
	_, err := run(t, bind(t, llm.Endpoint{URL: always.URL, Schema: llm.Always}), asJSON, hello)
	wantError(t, err, orbit.Permanent(orbit.CodeRejected, "refused the request (400): response_format is not supported"))
}

func TestPartsOfTheRequestAreGivenUpOnceAndForGood(t *testing.T) {
	for name, c := range map[string]struct {
		reply reply
		field string
		want  any // of the requests after the refusal
	}{
		"stream_options":        {reply{status: 400, body: `{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error"}}`}, "stream_options", nil},
		"max_completion_tokens": {reply{status: 400, body: `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`}, "max_completion_tokens", 65536.0},
		"the most of an answer": {reply{status: 400, body: `{"error":{"message":"max_tokens is too large: 65536. This model supports at most 16384 completion tokens, whereas you provided 65536.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}`}, "max_tokens", 16384.0},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.reply, says("hi", "stop"))
			m := bind(t, llm.Endpoint{URL: server.URL})
			for range 2 {
				if _, err := run(t, m, nil, hello); err != nil {
					t.Fatal(err)
				}
			}
			if len(server.got) != 3 || server.got[1][c.field] != c.want || server.got[2][c.field] != c.want {
				t.Errorf("%v", server.got)
			}
			stubborn := serve(t, c.reply)
			if _, err := run(t, bind(t, llm.Endpoint{URL: stubborn.URL}), nil, hello); err == nil || len(stubborn.got) != 2 {
				t.Errorf("one that refuses again: %v after %d requests", err, len(stubborn.got))
			}
		})
	}
}

func TestMaxTokensIsReducedToWhatTheContextHasRoomFor(t *testing.T) {
	for name, refusal := range map[string]reply{
		"OpenAI":      {status: 400, body: `{"error":{"message":"This model's maximum context length is 8192 tokens. However, you requested 66536 tokens (1000 in the messages, 65536 in the completion). Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`},
		"vLLM":        {status: 400, body: `{"object":"error","message":"This model's maximum context length is 8192 tokens. However, you requested 66536 tokens (1000 in the messages, 65536 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}`},
		"vLLM, newer": {status: 400, body: `{"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 65536. This model's maximum context length is 8192 tokens and your request has 1000 input tokens (65536 > 8192 - 1000). None","type":"BadRequestError","param":null,"code":400}}`},
		"SGLang":      {status: 400, body: `{"object":"error","message":"Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 66536 tokens: 1000 tokens from the input messages and 65536 tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.","type":"BadRequestError","param":null,"code":400}`},
		"TGI":         {status: 422, body: "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 1000 `inputs` tokens and 65536 `max_new_tokens`\",\"error_type\":\"validation\"}"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, refusal, says("hi", "stop"))
			if _, err := run(t, bind(t, llm.Endpoint{URL: server.URL}), nil, hello); err != nil || server.got[1]["max_tokens"] != 7192.0 {
				t.Errorf("%v, %v", err, server.got)
			}
			stubborn := serve(t, refusal)
			_, err := run(t, bind(t, llm.Endpoint{URL: stubborn.URL}), nil, hello)
			wantError(t, err, orbit.Permanent(orbit.CodeTooLarge, "the prompt takes 1000 tokens and the model gemma-3-27b at %s has room for 8192", stubborn.URL))
			if len(stubborn.got) != 2 {
				t.Errorf("it was asked %d times", len(stubborn.got))
			}
		})
	}
}

// Once it is known how many tokens a prompt takes, later ones leave room for theirs at once.
func TestTheContextIsRememberedForLongPrompts(t *testing.T) {
	server := serve(t, says("hi", "stop"))
	m := bind(t, llm.Endpoint{URL: server.URL, Context: 8192})
	long := fields{"prompt": strings.Repeat("word ", 1000)} // of which the server counts 11 tokens
	for range 2 {
		if _, err := run(t, m, nil, long); err != nil {
			t.Fatal(err)
		}
	}
	if server.got[0]["max_tokens"] != 65536.0 || server.got[1]["max_tokens"] != float64(8192-11-64) {
		t.Errorf("%v and %v", server.got[0]["max_tokens"], server.got[1]["max_tokens"])
	}
}
