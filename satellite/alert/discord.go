package alert

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

const (
	maxContent = 2000 // characters
	maxEmbed   = 4000 // of 4096 in a description, of 6000 in all embeds
)

// colours of the bar beside the details.
var colours = map[string]int{"critical": 0x8b0000, "error": 0xd93025, "warning": 0xf9ab00, "info": 0x1a73e8}

// discord posts to a channel's webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook
func (s *Sender) discord(ctx context.Context, config map[string]any, a *alert) (map[string]any, error) {
	channel, err := s.channel(config, "discord")
	if err != nil {
		return nil, err
	}
	query := channel.url.Query() // it may name a thread
	query.Set("wait", "true")    // answer when the message is there, and say so when it is not
	channel.url.RawQuery = query.Encode()
	embed := map[string]any{"color": colours[a.severity], "footer": map[string]any{"text": service.CutRunes(a.severity+" · run "+a.run+" · "+a.item, maxContent)}}
	if a.details != "" {
		embed["description"] = "```\n" + service.CutRunes(strings.ReplaceAll(a.details, "```", "'''"), maxEmbed) + "\n```"
	}
	body := map[string]any{
		"content": service.CutRunes(strings.TrimSpace(a.message), maxContent), "embeds": []any{embed},
		"allowed_mentions": map[string]any{"parse": []any{}}, // what a file or an error says calls nobody
	}
	answer, err := s.client.Do(ctx, channel.call("Discord", body))
	if err != nil {
		return nil, err
	}
	if answer.Status == http.StatusTooManyRequests {
		return nil, tooMany(answer)
	}
	if err := answer.Refused(); err != nil {
		return nil, err
	}
	return map[string]any{"status": "ok"}, nil
}

// tooMany reads the wait of the body, which is finer than that of the header.
func tooMany(answer *service.Answer) error {
	var said struct {
		Wait float64 `json:"retry_after"` // seconds
	}
	if !answer.JSON(&said) || said.Wait <= 0 {
		return answer.Refused()
	}
	wait := service.MaxWait
	if said.Wait < wait.Seconds() {
		wait = time.Duration(said.Wait * float64(time.Second))
	}
	return orbit.RetryAfter(wait, orbit.CodeUnavailable, "%s", answer.Refused().Error())
}
