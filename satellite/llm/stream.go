package llm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/exospherehost/orbit"
)

const (
	// maxText bounds an answer: 65536 tokens are some 300 KiB.
	maxText = 8 * orbit.MiB
	// maxStream bounds what carries it, its reasoning included: a token travels in some 300 bytes of JSON.
	maxStream = 256 * orbit.MiB
	// maxLine bounds one event.
	maxLine = 1 << 20
)

// answer is what a model wrote.
type answer struct {
	text    string // as it came: reasoning may stand in it
	thought bool   // reasoning came beside it
	finish  string // stop, length, content_filter …; "" where the server did not say
	used    usage
}

// cut tells whether the answer ended because of max-tokens.
func (a *answer) cut() bool { return a.finish == "length" }

// chunk is one event of a stream, or a whole answer: the two differ in where the text is.
type chunk struct {
	Choices []struct {
		Index        int     `json:"index"`
		Delta        content `json:"delta"`
		Message      content `json:"message"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
	// vLLM and SGLang tell of errors in this form, too.
	Object string `json:"object"`
}

// content is a piece of text. Servers that set reasoning apart call it by either name.
type content struct {
	Content          string `json:"content"`
	ReasoningContent string `json:"reasoning_content"`
	Reasoning        string `json:"reasoning"`
}

// errStream marks an answer that is none.
var errStream = errors.New("that is no answer of a chat completion")

// readAnswer reads a stream of events, or a whole answer from a server that does not stream. A refusal may come in the
// middle of a stream, whose status says 200.
func readAnswer(contentType string, body io.Reader) (*answer, *refusal, error) {
	bounded := &io.LimitedReader{R: body, N: int64(maxStream) + 1}
	in := bufio.NewReaderSize(bounded, 64<<10)
	w := &writing{}
	if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/json" {
		whole, err := io.ReadAll(io.LimitReader(in, int64(maxText)+1))
		if err != nil {
			return nil, nil, err
		}
		if len(whole) > int(maxText) {
			return nil, nil, errLong
		}
		no, err := w.take(whole)
		if err == nil && no == nil && w.choices == 0 {
			err = fmt.Errorf("%w: %s", errStream, excerpt(string(whole)))
		}
		return w.answer(), no, err
	}
	var strange string // the first line that is no event
	for {
		line, err := readLine(in)
		data, isData := bytes.CutPrefix(line, []byte("data:"))
		if !isData { // llama.cpp told of errors so
			data, isData = bytes.CutPrefix(line, []byte("error:"))
			if isData && !bytes.Contains(data, []byte(`"error"`)) {
				data = fmt.Appendf(nil, `{"error":%s}`, data)
			}
		}
		if data = bytes.TrimSpace(data); isData && len(data) > 0 {
			if string(data) == "[DONE]" {
				return w.answer(), nil, nil
			}
			if no, err := w.take(data); no != nil || err != nil {
				return w.answer(), no, err
			}
		} else if strange == "" && !isData && !isEventLine(line) {
			strange = string(line)
		}
		if err == nil {
			continue
		}
		switch {
		case bounded.N <= 0:
			return w.answer(), nil, errLong
		case !errors.Is(err, io.EOF):
			return w.answer(), nil, err
		case w.finish != "": // some servers say no [DONE]
			return w.answer(), nil, nil
		case w.choices == 0 && strange != "":
			return w.answer(), nil, fmt.Errorf("%w: %s", errStream, excerpt(strange))
		}
		return w.answer(), nil, io.ErrUnexpectedEOF
	}
}

// isEventLine tells whether a line belongs to a stream of events without carrying anything: a comment, a field's name.
func isEventLine(line []byte) bool {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == ':' {
		return true
	}
	for _, field := range []string{"event:", "id:", "retry:"} {
		if bytes.HasPrefix(line, []byte(field)) {
			return true
		}
	}
	return false
}

// readLine reads a line of at most maxLine bytes.
func readLine(in *bufio.Reader) ([]byte, error) {
	var whole []byte
	for {
		part, err := in.ReadSlice('\n')
		if whole == nil && !errors.Is(err, bufio.ErrBufferFull) {
			return part, err // the usual case: nothing is copied
		}
		whole = append(whole, part...)
		if len(whole) > maxLine {
			return nil, errLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return whole, err
		}
	}
}

// writing is an answer that is coming in.
type writing struct {
	text    strings.Builder
	choices int
	thought bool
	finish  string
	used    usage
}

func (w *writing) take(data []byte) (*refusal, error) {
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("%w: %s", errStream, excerpt(string(data)))
	}
	if len(c.Error) > 0 && string(c.Error) != "null" || c.Object == "error" {
		return parseRefusal(0, data), nil
	}
	for _, choice := range c.Choices {
		if w.choices++; choice.Index != 0 {
			continue
		}
		for _, part := range []content{choice.Delta, choice.Message} {
			w.text.WriteString(part.Content)
			w.thought = w.thought || part.ReasoningContent != "" || part.Reasoning != ""
		}
		if choice.FinishReason != "" {
			w.finish = choice.FinishReason
		}
	}
	if c.Usage != nil {
		w.used = usage{c.Usage.PromptTokens, c.Usage.CompletionTokens, true}
	}
	if w.text.Len() > int(maxText) {
		return nil, errLong
	}
	return nil, nil
}

func (w *writing) answer() *answer {
	return &answer{text: w.text.String(), thought: w.thought, finish: w.finish, used: w.used}
}
