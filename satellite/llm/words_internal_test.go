package llm

import "testing"

func TestReasoningIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   string
	}{
		"none":                           {answer{text: " hello \n"}, "hello"},
		"in tags":                        {answer{text: "<think>\nwell\n</think>\n\nhello"}, "hello"},
		"empty, as R1 writes it":         {answer{text: "<think>\n\n</think>\n\nhello"}, "hello"},
		"begun by the template":          {answer{text: "well\n</think>\nhello"}, "hello"},
		"begun so, and once more":        {answer{text: "well</think><think>hm</think>hello"}, "hello"},
		"twice":                          {answer{text: "<think>a</think><think>b</think>hello"}, "hello"},
		"without an end":                 {answer{text: "<think>\nwell, let me"}, ""},
		"beside the text":                {answer{text: "hello", thought: true}, "hello"},
		"beside it, and spoken of there": {answer{text: "the tag </think> ends it", thought: true}, "the tag </think> ends it"},
		"spoken of in the text":          {answer{text: "between <think> and </think> it thinks"}, "between <think> and </think> it thinks"},
	} {
		if got := c.answer.words(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
