package files

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// rest is a store with an API over HTTP, Google's or Microsoft's.
type rest struct {
	client   *http.Client
	attempts int
	title    string // of the service, for sentences
	base     string // URL that every request begins with, without a slash at its end
	host     string
	signed   bool   // it has credentials
	keys     string // the names of the credentials in secrets, for sentences
	sign     func(context.Context, *http.Request) error
	word     func(*http.Response, []byte) string // the service's own word for an error
}

// newRest makes a client that stays where it is sent: a signature is good for one address.
func newRest(o *Opener, title, base, field string) (*rest, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "the address of %s is no URL of a host; write %s like https://storage.example.com", title, field)
	}
	return &rest{
		client: &http.Client{
			Transport:     o.transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		attempts: o.attempts,
		title:    title,
		base:     strings.TrimRight(base, "/"),
		host:     u.Host,
	}, nil
}

// call is one request.
type call struct {
	method, path string // path is escaped, and begins with a slash
	query        url.Values
	header       map[string]string
	body         io.Reader // nil: it may be sent again
	size         int64     // of body; -1 where it is not known
	at           place
	deed         deed
}

// do sends a call and gives the answer, which is 2xx; its body is the caller's to close. A call without a body is sent
// again where the service was not able to answer.
func (r *rest) do(ctx context.Context, c call) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := r.once(ctx, c)
		if err == nil {
			return resp, nil
		}
		told := orbit.AsError(err)
		if ctx.Err() != nil || attempt >= r.attempts || c.body != nil || !told.Retryable || told.After > 0 {
			return nil, err
		}
		if err := pause(ctx, time.Duration(attempt)*200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (r *rest) once(ctx context.Context, c call) (*http.Response, error) {
	target := r.base + c.path
	if len(c.query) > 0 {
		target += "?" + strings.ReplaceAll(c.query.Encode(), "+", "%20")
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, c.body)
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "no request can be made for %s; check the path", c.at.what())
	}
	if c.body != nil {
		req.ContentLength = c.size
		if c.size == 0 {
			req.Body = http.NoBody
		}
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	if r.sign != nil {
		if err := r.sign(ctx, req); err != nil {
			return nil, err
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, r.unreachable(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, r.refusal(resp, c)
}

// maxPage bounds an answer that is read whole: a page of a thousand names of 1 KiB each, with what is said of them.
const maxPage = 16 << 20

// answer sends a call and decodes its JSON or XML; out nil: nothing is looked at.
func (r *rest) answer(ctx context.Context, c call, decode func([]byte, any) error, out any) (http.Header, error) {
	resp, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, r.unreachable(ctx, err)
	}
	if len(body) > maxPage {
		return nil, orbit.Permanent(orbit.CodeTooLarge, "%s at %s answered with more than %d MiB; check the endpoint", r.title, r.host, maxPage>>20)
	}
	if out != nil && decode(body, out) != nil {
		return nil, orbit.Transient(orbit.CodeUnavailable, "%s at %s gave an answer that cannot be read; check the endpoint", r.title, r.host)
	}
	return resp.Header, nil
}

func asJSON(data []byte, out any) error { return json.Unmarshal(data, out) }
func asXML(data []byte, out any) error  { return xml.Unmarshal(data, out) }

// download opens the body of an answer for reading.
func (r *rest) download(ctx context.Context, c call) (io.ReadCloser, int64, error) {
	resp, err := r.do(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	return &download{body: resp.Body, fault: func(err error) error { return r.unreachable(ctx, err) }}, resp.ContentLength, nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
