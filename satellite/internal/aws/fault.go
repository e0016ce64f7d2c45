package aws

import (
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// Code gives the name of the error in an answer: of the header X-Amzn-ErrorType, or of the field __type or code, without
// the namespace before it and the address behind it. "" where there is none.
func Code(a *service.Answer) string {
	code, _ := read(a)
	return code
}

func read(a *service.Answer) (code, message string) {
	var body struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // and Message: encoding/json does not mind the case
	}
	a.JSON(&body)
	for _, c := range []string{a.Header.Get("X-Amzn-Errortype"), body.Type, body.Code} {
		if c != "" {
			code = c
			break
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if _, name, ok := strings.Cut(code, "#"); ok {
		code = name
	}
	return code, body.Message
}

// Codes that say more than their status, which is 400 for most of them. They are those of "Common Errors" in the API
// references; some APIs write them with Exception behind, some without.
var (
	denied = map[string]bool{
		"AccessDenied": true, "ExpiredToken": true, "IncompleteSignature": true, "InvalidClientTokenId": true, "InvalidSignature": true,
		"MissingAuthenticationToken": true, "NotAuthorized": true, "OptInRequired": true, "SignatureDoesNotMatch": true, "UnrecognizedClient": true,
	}
	passing = map[string]bool{
		"InternalFailure": true, "InternalServerError": true, "InternalServiceError": true, "LimitExceeded": true, "OperationAborted": true,
		"RequestLimitExceeded": true, "RequestTimeout": true, "RequestThrottled": true, "ServiceUnavailable": true, "Throttled": true,
		"Throttling": true, "TooManyRequests": true,
	}
	skewed = map[string]bool{"RequestExpired": true, "RequestTimeTooSkewed": true}
)

// refused is the error of an answer that is not 2xx.
func refused(a *service.Answer, advice string) error {
	if a.OK() {
		return nil
	}
	code, text := read(a)
	said := a.Name() + " answered " + code
	if text = a.Said(text); text != "" {
		said += ": " + text
	}
	switch name := strings.TrimSuffix(code, "Exception"); {
	case denied[name]:
		return orbit.Permanent(orbit.CodeDenied, "%s; %s", said, advice)
	case skewed[name]:
		return orbit.Transient(orbit.CodeUnavailable, "%s; set the clock of the node", said)
	case passing[name]:
		return orbit.RetryAfter(service.RetryAfter(a.Header.Get("Retry-After"), time.Now()), orbit.CodeUnavailable, "%s", said)
	}
	return a.Refused()
}
