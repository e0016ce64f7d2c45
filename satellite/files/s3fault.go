package files

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"

	"github.com/exospherehost/orbit"
)

// fault turns an error of the S3 client into a sentence and says whose fault it is. Nothing the store wrote is quoted
// but its error code: some stores repeat the access key in the text.
func (s *s3Store) fault(ctx context.Context, err error, at place, d deed) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return orbit.Transient(orbit.CodeUnavailable, "the S3 store at %s cannot be reached (%s); check the endpoint and the network", s.host, netReason(err))
	}
	what := at.what()
	code := answer.Code
	if answer.StatusCode == http.StatusMovedPermanently || answer.StatusCode == http.StatusTemporaryRedirect {
		code = "PermanentRedirect" // the answer to HEAD has no body to say so
	}
	switch code {
	case "NoSuchBucket":
		return orbit.Permanent(orbit.CodeNotFound, "bucket %s was not found at %s; check its name and the endpoint", at.bucket, s.host)
	case "NoSuchKey", "NotFound":
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found at %s; check the path", what, s.host)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return orbit.Permanent(orbit.CodeDenied, "the S3 store at %s refuses the credentials (%s); check %s and %s in secrets", s.host, code, s.keyName, s.secretName)
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return orbit.Permanent(orbit.CodeDenied, "the S3 store at %s no longer takes the session token; renew AWS_SESSION_TOKEN in secrets", s.host)
	case "RequestTimeTooSkewed":
		return orbit.Transient(orbit.CodeUnavailable, "the clocks of this node and of the S3 store at %s differ too much; set the node's clock", s.host)
	case "InvalidObjectState":
		return orbit.Permanent(orbit.CodeRejected, "%s is archived and cannot be read at %s; restore it first", what, s.host)
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "InvalidRegion", "IllegalLocationConstraintException":
		return orbit.Permanent(orbit.CodeInvalidConfig, "bucket %s at %s is in another region; set AWS_REGION in secrets to the region of the bucket", at.bucket, s.host)
	}
	status := answer.StatusCode
	switch {
	case passing[code], status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return orbit.Transient(orbit.CodeUnavailable, "the S3 store at %s cannot serve %s at the moment (HTTP %d); try again later", s.host, what, status)
	case (status == http.StatusForbidden || status == http.StatusUnauthorized) && !s.signed:
		return orbit.Permanent(orbit.CodeDenied, "%s at %s cannot be %s without credentials; add %s and %s to secrets", what, s.host, d.done, s.keyName, s.secretName)
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return orbit.Permanent(orbit.CodeDenied, "the credentials in secrets may not %s %s at %s; allow them %s", d.verb, what, s.host, d.rights)
	case status == http.StatusNotFound:
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found at %s; check the path", what, s.host)
	}
	return orbit.Permanent(orbit.CodeRejected, "the S3 store at %s rejects the request for %s (HTTP %d); check the path and the endpoint", s.host, what, status)
}

// passing are codes of a store that is overloaded; some come with a status of the 400s.
var passing = map[string]bool{
	"SlowDown": true, "SlowDownRead": true, "RequestTimeout": true, "InternalError": true, "ServiceUnavailable": true,
	"Throttling": true, "ThrottlingException": true, "RequestLimitExceeded": true, "RequestThrottled": true,
}

// netReason says in a few words why no answer came.
func netReason(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		syntax      *xml.SyntaxError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &dns):
		return "its host name is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &certificate):
		return "its certificate is not trusted"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "it speaks http, not https"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.As(err, &syntax):
		return "the connection or its answer broke off"
	}
	return "no usable answer"
}
