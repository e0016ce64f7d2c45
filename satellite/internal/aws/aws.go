// Package aws calls services of Amazon over HTTP without their library: requests are signed with Signature Version 4,
// and the error codes of their JSON protocols are judged.
//
//	service.Call + Account ──Do──► service.Answer, or *orbit.Error
//
// It refuses to look for credentials: they are what the step's config holds, never those of the machine.
package aws

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// Account is who asks, and where.
type Account struct {
	AccessKey, SecretKey, SessionToken string
	Region                             string
}

// Do signs a request of an API of AWS, such as "logs" or "ses", and sends it. An answer that is not 2xx is an error, and
// comes along with it.
func Do(ctx context.Context, c *service.Client, a Account, api string, call *service.Call) (*service.Answer, error) {
	target, err := url.Parse(call.URL)
	if err != nil || target.Host == "" {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "the address of the service is no URL; write it like https://%s.%s.amazonaws.com", api, a.Region)
	}
	signed := *call
	signed.Header = call.Header.Clone()
	if signed.Header == nil {
		signed.Header = http.Header{}
	}
	signed.Secrets = append([]string{a.SecretKey, a.SessionToken}, call.Secrets...)
	Sign(call.Method, target, signed.Header, call.Body, a, api, time.Now())
	answer, err := c.Do(ctx, &signed)
	if err != nil {
		return nil, err
	}
	return answer, refused(answer, call.Denied)
}

// Host is the host of an API in a region. Regions in China have a domain of their own.
func Host(api, region string) string {
	if strings.HasPrefix(region, "cn-") {
		return api + "." + region + ".amazonaws.com.cn"
	}
	return api + "." + region + ".amazonaws.com"
}

// ValidRegion tells whether a text may be the name of a region; it becomes part of a host's name.
func ValidRegion(region string) bool {
	return region != "" && len(region) <= 32 && !strings.ContainsFunc(region, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}
