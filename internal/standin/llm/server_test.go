package llm_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/internal/standin/llm"
	"github.com/exospherehost/orbit/satellite/schema"
)

const report = "Give company, net-income and quarter of this report.\n\nCompany: Acme Ltd\nQuarter: Q3\n\nNet income   (12.5)\nRevenue 1,234.5\n"

// ask sends a request and gives status and body.
func ask(t *testing.T, o llm.Options, body map[string]any) (int, string) {
	t.Helper()
	server := httptest.NewServer(llm.New(o))
	defer server.Close()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(server.URL+"/v1/chat/completions", "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func request(prompt string, more map[string]any) map[string]any {
	body := map[string]any{"model": "m", "messages": []any{map[string]any{"role": "user", "content": prompt}}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

func wanted(schema string) map[string]any {
	return map[string]any{"response_format": map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "a", "schema": json.RawMessage(schema)}}}
}

// content is the text of a whole answer.
func content(t *testing.T, answer string) string {
	t.Helper()
	var a struct {
		Model   string `json:"model"`
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil || len(a.Choices) != 1 {
		t.Fatalf("no answer: %v, %s", err, answer)
	}
	if !strings.Contains(a.Model, llm.Notice) {
		t.Errorf("it passes for the model %q", a.Model)
	}
	return a.Choices[0].Message.Content
}

func TestAnswersFitTheSchemaAndComeFromThePrompt(t *testing.T) {
	for name, c := range map[string]struct{ schema, want string }{
		"figures of a report": {`{"type": "object", "properties": {"company": {"type": "string"}, "quarter": {"type": "string"}, "net-income": {"type": "number"}, "revenue": {"type": "number"}}}`,
			`{"company":"Acme Ltd","quarter":"Q3","net-income":-12.5,"revenue":1234.5}`},
		"a choice":              {`{"type": "object", "properties": {"q": {"enum": ["Q1", "Q3"]}, "c": {"const": 5}}}`, `{"q":"Q3","c":5}`},
		"bounds":                {`{"type": "object", "properties": {"revenue": {"type": "integer", "maximum": 100}, "company": {"type": "string", "maxLength": 4}}}`, `{"revenue":100,"company":"Acme"}`},
		"a list of maps":        {`{"type": "object", "properties": {"rows": {"type": "array", "minItems": 2, "items": {"type": "object", "properties": {"revenue": {"type": "integer"}}}}}}`, `{"rows":[{"revenue":1234},{"revenue":1234}]}`},
		"references and unions": {`{"$defs": {"n": {"anyOf": [{"type": "number"}, {"type": "null"}]}}, "type": "object", "properties": {"revenue": {"$ref": "#/$defs/n"}, "x": {"type": ["null", "boolean"]}}}`, `{"revenue":1234.5,"x":false}`},
		"no properties":         {`{"type": "object"}`, `{}`},
	} {
		status, answer := ask(t, llm.Options{}, request(report, wanted(c.schema)))
		if got := content(t, answer); status != 200 || got != c.want {
			t.Errorf("%s: %d %s, want %s", name, status, got, c.want)
		}
		s, err := schema.Compile(json.RawMessage(c.schema))
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal([]byte(content(t, answer)), &value); err != nil || s.Check(value) != nil {
			t.Errorf("%s: %v, %v", name, err, s.Check(value))
		}
	}
	if status, answer := ask(t, llm.Options{}, request(report, wanted(`{"$ref": "#"}`))); status != 400 || !strings.Contains(answer, "it goes too deep") {
		t.Errorf("a schema without an end: %d %s", status, answer)
	}
}

func TestAnswersStreamAndEndWithTheirUsage(t *testing.T) {
	status, answer := ask(t, llm.Options{Tokens: 3}, request("one two", map[string]any{"stream": true, "stream_options": map[string]any{"include_usage": true}}))
	var text string
	var usage map[string]any
	for _, line := range strings.Split(answer, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var c struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
			Usage map[string]any `json:"usage"`
		}
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		if usage = c.Usage; len(c.Choices) > 0 {
			text += c.Choices[0].Delta.Content
		}
	}
	if status != 200 || text != "one two one" || !strings.HasSuffix(answer, "data: [DONE]\n\n") {
		t.Errorf("%d %q:\n%s", status, text, answer)
	}
	if d := cmp.Diff(map[string]any{"prompt_tokens": 2.0, "completion_tokens": 3.0, "total_tokens": 5.0}, usage); d != "" {
		t.Errorf("usage (-want +got):\n%s", d)
	}
}

func TestWhatDoesNotFitIsRefusedOrCut(t *testing.T) {
	if status, answer := ask(t, llm.Options{Context: 10}, request("one two", map[string]any{"max_tokens": 20})); status != 400 || !strings.Contains(answer, "maximum context length is 10 tokens. However, you requested 22 tokens (2 in the messages, 20 in the completion)") {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := ask(t, llm.Options{}, request("one two", map[string]any{"max_tokens": 1})); status != 200 || content(t, answer) != "one" || !strings.Contains(answer, `"finish_reason":"length"`) {
		t.Errorf("%d %s", status, answer)
	}
	if status, _ := ask(t, llm.Options{}, map[string]any{"model": "m"}); status != 400 {
		t.Errorf("without messages: %d", status)
	}
}
