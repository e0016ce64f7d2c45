package alert

import (
	"net/url"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// channel is the incoming webhook of a chat. Its URL is a secret: who has it can write.
type channel struct {
	url     *url.URL
	host    string // shown in errors
	secrets []string
}

// channel reads the config's webhook-url. An endpoint of the node stands in for scheme and host.
func (s *Sender) channel(config map[string]any, provider string) (*channel, error) {
	text, _ := config["webhook-url"].(string)
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "%s needs a webhook-url: the address of the incoming webhook of a channel", provider)
	}
	secrets := []string{u.String(), u.Path}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 8 { // the words of the path are short, its secrets long
			secrets = append(secrets, part)
		}
	}
	if base, err := url.Parse(s.endpoints[provider]); err == nil && base.Host != "" {
		u.Scheme, u.Host, u.Path, u.RawPath = base.Scheme, base.Host, strings.TrimRight(base.Path, "/")+u.Path, ""
	}
	return &channel{u, u.Host, secrets}, nil
}

// call is a request to the webhook.
func (c *channel) call(provider string, body any) *service.Call {
	return &service.Call{Method: "POST", URL: c.url.String(), Header: asJSON(), Body: encode(body, ""), Name: "the " + provider + " webhook at " + c.host,
		Denied: "check webhook-url", Secrets: c.secrets}
}
