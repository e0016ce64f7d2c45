package llm

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/exospherehost/orbit"
)

// maxRefusal is how much of an error's body is read.
const maxRefusal = 64 << 10

// refusal is an error as a server tells it, in any of these forms:
//
//	{"error": {"message": …, "type": …, "param": …, "code": …}}   OpenAI, Ollama, vLLM, SGLang
//	{"object": "error", "message": …, "type": …, "code": 400}     older vLLM and SGLang
//	{"error": {"message": …, "n_prompt_tokens": …, "n_ctx": …}}   llama.cpp, where the prompt is too long
//	{"error": "…", "error_type": …}                               TGI
//	{"detail": "…"}                                               FastAPI, and so many a proxy
type refusal struct {
	status int // of HTTP; in the middle of a stream the one that the error names, else 0
	wait   time.Duration
	said   string // the server's sentence, or what of its body can be shown
	param  string // the parameter at fault
	kind   string // its type or code, in the server's words
	prompt int    // tokens; 0: not told
	room   int    // tokens of prompt and answer together; 0: not told
	most   int    // tokens of an answer at most; 0: not told
}

// readRefusal reads an answer that is not 200.
func readRefusal(resp *http.Response, body io.Reader) (*refusal, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxRefusal))
	if err != nil {
		return nil, err
	}
	no := parseRefusal(resp.StatusCode, text)
	no.wait = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	if no.said == "" {
		no.said = http.StatusText(resp.StatusCode)
	}
	return no, nil
}

// parseRefusal reads an error's body. A status of 0 is taken from what it says.
func parseRefusal(status int, text []byte) *refusal {
	no := &refusal{status: status, said: excerpt(string(text))}
	type detail struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Param   string          `json:"param"`
		Code    json.RawMessage `json:"code"`
		Prompt  int             `json:"n_prompt_tokens"`
		Room    int             `json:"n_ctx"`
	}
	var whole struct {
		Error     json.RawMessage `json:"error"`
		ErrorType string          `json:"error_type"`
		Detail    json.RawMessage `json:"detail"`
		detail
	}
	if json.Unmarshal(text, &whole) != nil {
		no.measure()
		return no
	}
	d := whole.detail
	var sentence string
	for _, part := range []json.RawMessage{whole.Error, whole.Detail} {
		var inner detail
		switch {
		case json.Unmarshal(part, &sentence) == nil && sentence != "" && d.Message == "":
			d.Message = sentence
		case json.Unmarshal(part, &inner) == nil && inner.Message != "":
			d = inner
		}
	}
	if d.Message != "" {
		no.said = excerpt(d.Message)
	}
	code := strings.Trim(string(d.Code), `"`)
	no.param, no.kind, no.prompt, no.room = d.Param, strings.TrimSpace(d.Type+" "+whole.ErrorType+" "+code), d.Prompt, d.Room
	if n, err := strconv.Atoi(code); err == nil && n >= 400 && n <= 599 && status == 0 {
		no.status = n
	}
	no.measure()
	return no
}

// The sentences in which servers tell how many tokens they have room for, and how many they were given. Each has named groups.
var measures = []*regexp.Regexp{
	// OpenAI, vLLM: This model's maximum context length is 8192 tokens. However, you requested 8256 tokens (64 in the messages, 8192 in the completion). …
	regexp.MustCompile(`maximum context length is (?P<room>\d+) tokens.*?\((?P<prompt>\d+) in (?:the messages|your prompt)`),
	// OpenAI: … However, your messages resulted in 10020 tokens. vLLM: … However, your request has 5000 input tokens. vLLM: 'max_tokens' or
	// 'max_completion_tokens' is too large: 65536. This model's maximum context length is 8192 tokens and your request has 25 input tokens …
	regexp.MustCompile(`maximum context length is (?P<room>\d+) tokens.*?(?:resulted in|has|contains at least) (?P<prompt>\d+) (?:input )?tokens`),
	// vLLM: The decoder prompt (length 10008) is longer than the maximum model length of 4096.
	regexp.MustCompile(`The decoder prompt \(length (?P<prompt>\d+)\) is longer than the maximum model length of (?P<room>\d+)`),
	// SGLang: Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 70000 tokens: 4464 tokens from the input messages …
	regexp.MustCompile(`maximum context length of (?P<room>\d+) tokens.*?: (?P<prompt>\d+) tokens from the input messages`),
	// SGLang: The input (61709 tokens) is longer than the model's context length (40960 tokens).
	regexp.MustCompile(`The input \((?P<prompt>\d+) tokens\) is longer than the model's context length \((?P<room>\d+) tokens\)`),
	// TGI: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244 `inputs` tokens and 1000 `max_new_tokens`
	regexp.MustCompile("must be <= (?P<room>\\d+)\\. Given: (?P<prompt>\\d+) `inputs` tokens"),
	// TGI: `inputs` must have less than 4096 tokens. Given: 4545
	regexp.MustCompile("`inputs` must have less than (?P<room>\\d+) tokens\\. Given: (?P<prompt>\\d+)"),
	// OpenAI: max_tokens is too large: 50000. This model supports at most 32768 completion tokens, whereas you provided 50000.
	regexp.MustCompile(`supports at most (?P<most>\d+) completion tokens`),
}

// measure reads the numbers of tokens off the server's sentence.
func (no *refusal) measure() {
	for _, re := range measures {
		found := re.FindStringSubmatch(no.said)
		if found == nil {
			continue
		}
		for i, name := range re.SubexpNames() {
			n, _ := strconv.Atoi(found[i]) // 0 where it is no number that fits
			switch name {
			case "room":
				no.room = n
			case "prompt":
				no.prompt = n
			case "most":
				no.most = n
			}
		}
		return
	}
}

// overflow is how servers say that a prompt is too long, with or without numbers. llama.cpp before its own type of error:
// "the request exceeds the available context size".
var overflow = regexp.MustCompile(`(?i)context_length_exceeded|exceed_context_size_error|maximum context length|longer than the (?:maximum model length|model's context length)|(?:exceeds?|exceeded) (?:the )?(?:available |max(?:imum)? )?context (?:size|length|window)|inputs. must have less than|inputs. tokens \+ .max_new_tokens`)

// overflows tells whether prompt and answer were too long for the model.
func (no *refusal) overflows() bool {
	return no.prompt > 0 && no.room > 0 || overflow.MatchString(no.kind+" "+no.said)
}

// names tells whether the server speaks of a parameter.
func (no *refusal) names(param string) bool {
	return strings.HasPrefix(no.param, param) || strings.Contains(no.said, param)
}

// refusesInput tells whether a request is at fault, and not the server or the key.
func (no *refusal) refusesInput() bool {
	return no.status == 0 || no.status == http.StatusBadRequest || no.status == http.StatusUnprocessableEntity || no.status == http.StatusNotImplemented || no.status == http.StatusInternalServerError
}

// retryAfter reads the header's seconds or date; 0 where it says nothing usable.
func retryAfter(text string, now time.Time) time.Duration {
	const most = time.Hour // a run has a deadline, and an item that sleeps for a day misses it
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(most/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), most)
}

// excerpt gives the first characters of a text, on one line.
func excerpt(text string) string {
	const most = 300 // the longest of the sentences above, and a little
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// judge makes the error of the attempt from a refusal that stands.
func (m *Model) judge(no *refusal) *orbit.Error {
	said := m.secrets.Replace(no.said)
	switch {
	case no.overflows() && no.refusesInput():
		return m.tooLong(no, said)
	case no.status == http.StatusUnauthorized, no.status == http.StatusForbidden:
		return orbit.Permanent(orbit.CodeDenied, "%s refused the key (%d): %s; check api-key-file or api-key-env of %s in the node's `models:` section", m.name(), no.status, said, m.spec.Name)
	case no.status == http.StatusNotFound:
		return orbit.Permanent(orbit.CodeNotFound, "%s is not there (404): %s; check url and model of %s in the node's `models:` section", m.name(), said, m.spec.Name)
	case no.status == http.StatusRequestEntityTooLarge:
		return orbit.Permanent(orbit.CodeTooLarge, "%s takes no request of this size (413): %s; make the prompt shorter", m.name(), said)
	case no.status == 0:
		return orbit.Transient(orbit.CodeUnavailable, "%s broke off its answer: %s", m.name(), said)
	case no.status == http.StatusRequestTimeout, no.status == http.StatusTooEarly, no.status == http.StatusTooManyRequests, no.status >= 500:
		return orbit.RetryAfter(no.wait, orbit.CodeUnavailable, "%s answered %d: %s", m.name(), no.status, said)
	}
	return orbit.Permanent(orbit.CodeRejected, "%s refused the request (%d): %s", m.name(), no.status, said)
}

// tooLong says by how much.
func (m *Model) tooLong(no *refusal, said string) *orbit.Error {
	switch {
	case no.prompt > 0 && no.room > 0:
		return orbit.Permanent(orbit.CodeTooLarge, "the prompt takes %d tokens and %s has room for %d, the answer included; make the prompt shorter, or split it", no.prompt, m.name(), no.room)
	case no.room > 0:
		return orbit.Permanent(orbit.CodeTooLarge, "prompt and answer take more than the %d tokens that %s has room for; make the prompt or max-tokens smaller", no.room, m.name())
	}
	return orbit.Permanent(orbit.CodeTooLarge, "prompt and answer take more tokens than %s has room for: %s; make the prompt or max-tokens smaller", m.name(), said)
}
