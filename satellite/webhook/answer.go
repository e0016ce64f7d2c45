package webhook

import (
	"bytes"
	"mime"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// maxAnswer bounds the body of an answer. What an item returns travels on in messages; whoever fetches more than this
// wants a file, not an object.
const maxAnswer = 8 * orbit.MiB

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// readAnswer reads the body; service.ErrTooLarge past its limit.
func readAnswer(resp *http.Response) (*answer, error) {
	body, err := service.ReadBody(resp, maxAnswer)
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, err
}

// value is the object that the satellite returns.
func (a *answer) value() map[string]any {
	headers := make(map[string]any, len(a.header))
	for key, values := range a.header {
		headers[key] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	return map[string]any{"status": a.status, "headers": headers, "body": a.parsed()}
}

// parsed gives the value of a JSON body, and the text of any other and of one that only claims to be JSON: the request
// has been carried out, and failing the item would send it again.
func (a *answer) parsed() any {
	if isJSON(a.header.Get("Content-Type")) {
		if len(bytes.TrimSpace(a.body)) == 0 {
			return nil
		}
		if object, err := orbit.ParseObject(a.body); err == nil {
			if value, err := object.Value(); err == nil {
				return value
			}
		}
	}
	return a.text()
}

func (a *answer) text() string { return strings.ToValidUTF8(string(a.body), "\uFFFD") }

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")
}
