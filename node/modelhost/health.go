package modelhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Health is where a server answers when it is ready.
type Health struct {
	URL     string
	Headers map[string]string // that go along, such as the key of its API
}

// checkLimit bounds one look. A server that is reading its weights may accept and say nothing.
const checkLimit = 5 * time.Second

// client asks servers of this machine, most often, and keeps no connection: what is at the other end comes and goes.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: checkLimit}).DialContext, DisableKeepAlives: true},
}

// Check asks a server whether it is ready: 200 is yes.
func Check(ctx context.Context, h Health) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return err
	}
	for name, value := range h.Headers {
		r.Header.Set(name, value)
	}
	a, err := client.Do(r)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) { // without the URL, which the caller has
			err = asked.Err
		}
		return err
	}
	defer a.Body.Close()
	_, _ = io.CopyN(io.Discard, a.Body, 64<<10) // what it says does not matter
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", a.Status)
	}
	return nil
}
