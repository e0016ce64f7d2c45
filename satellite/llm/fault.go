package llm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/exospherehost/orbit"
)

// fault judges why no answer came, or not all of one.
func (m *Model) fault(ctx, exchange context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var (
		wrapped *url.Error
		cert    *tls.CertificateVerificationError
		dns     *net.DNSError
		timeout net.Error
	)
	if errors.As(err, &wrapped) { // its text repeats the URL's query
		err = wrapped.Err
	}
	switch {
	case errors.Is(context.Cause(exchange), errIdle):
		return orbit.Transient(orbit.CodeTimeout, "no byte has come from %s for %s; raise idle-timeout of %s in the node's `models:` section, or lower its concurrency, where the server is only busy",
			m.name(), orbit.Duration(m.endpoint.Idle), m.spec.Name)
	case errors.Is(err, errLong):
		return orbit.Permanent(orbit.CodeTooLarge, "%s wrote more than %s; lower max-tokens", m.name(), maxText)
	case errors.Is(err, errStream):
		said := strings.TrimPrefix(strings.TrimPrefix(err.Error(), errStream.Error()), ": ")
		return orbit.Transient(orbit.CodeUnavailable, "%s answered with what is no chat completion: %s; check url of %s in the node's `models:` section", m.name(), m.secrets.Replace(said), m.spec.Name)
	case errors.As(err, &cert):
		return orbit.Permanent(orbit.CodeRejected, "%s: the server's certificate is not valid (%v)", m.name(), cert.Err)
	case errors.As(err, &dns):
		return orbit.Transient(orbit.CodeUnavailable, "%s cannot be reached: the host %s cannot be found", m.name(), dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return orbit.Transient(orbit.CodeTimeout, "%s does not answer (%v)", m.name(), cause(err))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return orbit.Transient(orbit.CodeUnavailable, "%s closed the connection in the middle of its answer", m.name())
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s cannot be reached: %v", m.name(), cause(err))
}

// cause gives the innermost reason of a network error: "connection refused".
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
