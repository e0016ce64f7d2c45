package llm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/llm"
)

// Answers of servers, in the form in which each streams them: the documentation of OpenAI's API and of the servers' own.
func TestAnswersOfEveryServerAreRead(t *testing.T) {
	usage := fields{"prompt-tokens": 12, "completion-tokens": 5, "total-tokens": 17}
	for name, c := range map[string]struct {
		reply reply
		want  fields
	}{
		"OpenAI": {reply{body: `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","service_tier":"default","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" there"},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"vLLM with its parser of reasoning": {reply{body: `data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"A greeting."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello there"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":12,"total_tokens":17,"completion_tokens":5}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"vLLM without one": {reply{body: `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"<think>\nA greet"},"finish_reason":null}]}

data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"ing.\n</th"},"finish_reason":null}]}

data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"ink>\n\nHello there"},"finish_reason":"stop"}]}

data: {"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":12,"total_tokens":17,"completion_tokens":5}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"SGLang": {reply{body: `data: {"id":"3","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello there","reasoning_content":null,"tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}],"usage":null}

data: {"id":"3","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":null,"reasoning_content":null,"tool_calls":null},"logprobs":null,"finish_reason":"stop","matched_stop":128009}],"usage":null}

data: {"id":"3","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":12,"total_tokens":17,"completion_tokens":5,"prompt_tokens_details":null}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"llama.cpp": {reply{body: `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-4","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}

data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hello there"}}],"created":1,"id":"chatcmpl-4","model":"m","object":"chat.completion.chunk"}

data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1,"id":"chatcmpl-4","model":"m","object":"chat.completion.chunk"}

data: {"choices":[],"created":1,"id":"chatcmpl-4","model":"m","object":"chat.completion.chunk","usage":{"completion_tokens":5,"prompt_tokens":12,"total_tokens":17},"timings":{"prompt_n":12,"predicted_per_second":20.5}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"Ollama": {reply{body: `data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1,"model":"gemma3","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"A greeting."},"finish_reason":null}]}

data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1,"model":"gemma3","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello there"},"finish_reason":null}]}

data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1,"model":"gemma3","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}

data: {"id":"chatcmpl-5","object":"chat.completion.chunk","created":1,"model":"gemma3","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"TGI, without a space and with comments": {reply{body: `: keep-alive

data:{"object":"chat.completion.chunk","id":"","created":1,"model":"m","system_fingerprint":"3.0","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello there"},"logprobs":null,"finish_reason":null}],"usage":null}

data:{"object":"chat.completion.chunk","id":"","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":"eos_token"}],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}

data: [DONE]

`}, fields{"text": "Hello there", "usage": usage}},
		"a server that does not stream": {reply{kind: "application/json; charset=utf-8", body: `{"id":"6","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello there","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}`},
			fields{"text": "Hello there", "usage": usage}},
		"a server that counts nothing and says no end": {reply{body: "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello there\"},\"finish_reason\":\"stop\"}]}\n\n"},
			fields{"text": "Hello there"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(t, bind(t, llm.Endpoint{URL: serve(t, c.reply).URL}), nil, hello)
			wantObject(t, out, err, c.want)
		})
	}
}

// Errors of servers, as they were reported by those who met them: the repositories' issues and the servers' documentation.
func TestErrorsOfEveryServerAreJudged(t *testing.T) {
	const tooLong = "the prompt takes 5000 tokens and the model m at URL has room for 4096, the answer included; make the prompt shorter, or split it"
	for name, c := range map[string]struct {
		reply reply
		want  *orbit.Error
	}{
		"OpenAI: a long prompt": {reply{status: 400, body: `{"error":{"message":"This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"vLLM: a long prompt": {reply{status: 400, body: `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5512 tokens (5000 in the messages, 512 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"vLLM: a long prompt, newer": {reply{status: 400, body: `{"error":{"message":"This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please reduce the length of the input messages.","type":"BadRequestError","param":null,"code":400}}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"vLLM: a long prompt in the engine": {reply{status: 400, body: `{"object":"error","message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that max_model_len is no smaller than the number of text tokens.","type":"BadRequestError","param":null,"code":400}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"SGLang: a long prompt": {reply{status: 400, body: `{"object":"error","message":"The input (5000 tokens) is longer than the model's context length (4096 tokens).","type":"BadRequestError","param":null,"code":400}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"SGLang: prompt and answer": {reply{status: 400, body: `{"object":"error","message":"Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 37000 tokens: 5000 tokens from the input messages and 32000 tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.","type":"BadRequestError","param":null,"code":400}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"llama.cpp: a long prompt": {reply{status: 400, body: `{"error":{"code":400,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"llama.cpp: the same with 500": {reply{status: 500, body: `{"error":{"code":500,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}`},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"llama.cpp: the same with 200": {reply{body: `data: {"error":{"code":400,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}` + "\n\n"},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"llama.cpp before it counted": {reply{status: 400, body: `{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"invalid_request_error"}}`},
			orbit.Permanent(orbit.CodeTooLarge, "take more tokens than the model m at URL has room for: the request exceeds the available context size")},
		"TGI: a long prompt": {reply{status: 422, body: "{\"error\":\"Input validation error: `inputs` must have less than 4096 tokens. Given: 5000\",\"error_type\":\"validation\"}"},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"TGI: prompt and answer": {reply{status: 422, body: "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 1000 `max_new_tokens`\",\"error_type\":\"validation\"}"},
			orbit.Permanent(orbit.CodeTooLarge, tooLong)},
		"OpenAI: a wrong key": {reply{status: 401, body: `{"error":{"message":"Incorrect API key provided: CANARY-key. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`},
			orbit.Permanent(orbit.CodeDenied, "refused the key (401): Incorrect API key provided: ***. You can find your API key at https://platform.openai.com/account/api-keys.; check api-key-file or api-key-env of exospherehost/gemma-3-27b in the node's `models:` section")},
		"vLLM: no key": {reply{status: 401, body: `{"error":"Unauthorized"}`}, orbit.Permanent(orbit.CodeDenied, "refused the key (401): Unauthorized")},
		"a proxy's 403": {reply{status: 403, kind: "text/html", body: "<html>Forbidden</html>"},
			orbit.Permanent(orbit.CodeDenied, "refused the key (403): <html>Forbidden</html>")},
		"Ollama: no such model": {reply{status: 404, body: `{"error":{"message":"model \"m\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}`},
			orbit.Permanent(orbit.CodeNotFound, `is not there (404): model "m" not found, try pulling it first; check url and model of exospherehost/gemma-3-27b`)},
		"vLLM: no such model": {reply{status: 404, body: "{\"object\":\"error\",\"message\":\"The model `m` does not exist.\",\"type\":\"NotFoundError\",\"param\":null,\"code\":404}"},
			orbit.Permanent(orbit.CodeNotFound, "is not there (404): The model `m` does not exist.")},
		"FastAPI: no such path": {reply{status: 404, body: `{"detail":"Not Found"}`}, orbit.Permanent(orbit.CodeNotFound, "is not there (404): Not Found; check url")},
		"OpenAI: too many": {reply{status: 429, header: "Retry-After: 20", body: `{"error":{"message":"Rate limit reached for gpt-4o-mini.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
			orbit.RetryAfter(20*time.Second, orbit.CodeUnavailable, "answered 429: Rate limit reached for gpt-4o-mini.")},
		"TGI: overloaded": {reply{status: 429, body: `{"error":"Model is overloaded","error_type":"overloaded"}`},
			orbit.Transient(orbit.CodeUnavailable, "answered 429: Model is overloaded")},
		"llama.cpp: loading": {reply{status: 503, header: "Retry-After: 5", body: `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`},
			orbit.RetryAfter(5*time.Second, orbit.CodeUnavailable, "answered 503: Loading model")},
		"Ollama: busy": {reply{status: 503, body: `{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error","param":null,"code":null}}`},
			orbit.Transient(orbit.CodeUnavailable, "answered 503: server busy, please try again. maximum pending requests exceeded")},
		"too long a wait":      {reply{status: 503, header: "Retry-After: 999999"}, orbit.RetryAfter(time.Hour, orbit.CodeUnavailable, "answered 503: Service Unavailable")},
		"a gateway's page":     {reply{status: 502, kind: "text/html", body: "<h1>Bad Gateway</h1>"}, orbit.Transient(orbit.CodeUnavailable, "answered 502: <h1>Bad Gateway</h1>")},
		"a time-out of theirs": {reply{status: 408}, orbit.Transient(orbit.CodeUnavailable, "answered 408: Request Timeout")},
		"vLLM: a bad request": {reply{status: 400, body: `{"error":{"message":"temperature must be non-negative, got -1.0.","type":"BadRequestError","param":"temperature","code":400}}`},
			orbit.Permanent(orbit.CodeRejected, "refused the request (400): temperature must be non-negative, got -1.0.")},
		"a request too large": {reply{status: 413, kind: "text/plain", body: "Payload Too Large"}, orbit.Permanent(orbit.CodeTooLarge, "takes no request of this size (413)")},
		"a redirect":          {reply{status: 307, header: "Location: /elsewhere"}, orbit.Permanent(orbit.CodeRejected, "refused the request (307)")},
		"vLLM: an engine that dies in the middle": {reply{body: `data: {"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n" + `data: {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}` + "\n\ndata: [DONE]\n\n"},
			orbit.Transient(orbit.CodeUnavailable, "answered 500: EngineCore encountered an issue.")},
		"TGI: an error in the middle": {reply{body: "data:{\"error\":\"Request failed during generation: out of memory\",\"error_type\":\"generation\"}\n\n"},
			orbit.Transient(orbit.CodeUnavailable, "broke off its answer: Request failed during generation: out of memory")},
		"llama.cpp: an error's own field": {reply{body: "error: {\"code\":500,\"message\":\"slot unavailable\",\"type\":\"server_error\"}\n\n"},
			orbit.Transient(orbit.CodeUnavailable, "answered 500: slot unavailable")},
		"OpenAI: a filter": {reply{body: `data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\ndata: [DONE]\n\n"},
			orbit.Permanent(orbit.CodeRejected, "withheld its answer (finish_reason content_filter)")},
		"half an answer": {reply{body: `data: {"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n"},
			orbit.Transient(orbit.CodeUnavailable, "closed the connection in the middle of its answer")},
		"nothing at all": {reply{}, orbit.Transient(orbit.CodeUnavailable, "closed the connection in the middle of its answer")},
		"a page": {reply{kind: "text/html", body: "<html>\n<title>Sign in</title>"},
			orbit.Transient(orbit.CodeUnavailable, "answered with what is no chat completion: <html>; check url of exospherehost/gemma-3-27b")},
		"no JSON in a stream":     {reply{body: "data: hello\n\n"}, orbit.Transient(orbit.CodeUnavailable, "answered with what is no chat completion: hello")},
		"another JSON":            {reply{kind: "application/json", body: `{"status":"ok"}`}, orbit.Transient(orbit.CodeUnavailable, `answered with what is no chat completion: {"status":"ok"}`)},
		"JSON that breaks off":    {reply{kind: "application/json", body: `{"choices":[`}, orbit.Transient(orbit.CodeUnavailable, "answered with what is no chat completion")},
		"an endless line":         {reply{body: "data: " + strings.Repeat("x", 2<<20)}, orbit.Permanent(orbit.CodeTooLarge, "wrote more than 8MiB; lower max-tokens")},
		"an endless answer":       {reply{body: strings.Repeat(`data: {"choices":[{"index":0,"delta":{"content":"`+strings.Repeat("x", 1000)+`"}}]}`+"\n\n", 8400)}, orbit.Permanent(orbit.CodeTooLarge, "wrote more than 8MiB")},
		"a long error":            {reply{status: 418, kind: "text/plain", body: strings.Repeat("é", 100_000)}, orbit.Permanent(orbit.CodeRejected, "%s…", strings.Repeat("é", 300))},
		"an error that is a list": {reply{status: 400, body: `[1]`}, orbit.Permanent(orbit.CodeRejected, "refused the request (400): [1]")},
		"a large whole answer": {reply{kind: "application/json", body: `{"choices":[{"message":{"content":"` + strings.Repeat("x", 9<<20) + `"}}]}`},
			orbit.Permanent(orbit.CodeTooLarge, "wrote more than 8MiB")},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.reply)
			c.want.Message = strings.ReplaceAll(c.want.Message, "URL", server.URL)
			m := bind(t, llm.Endpoint{URL: server.URL, Model: "m", Key: "CANARY-key", Headers: map[string]string{"X-Token": "CANARY-token"}})
			out, err := run(t, m, fields{"max-tokens": 512}, hello)
			if len(out) > 0 {
				t.Errorf("it returned %v", out)
			}
			wantError(t, err, c.want)
		})
	}
}
