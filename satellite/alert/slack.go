package alert

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/exospherehost/orbit/satellite/internal/service"
)

// maxSlackText is the characters of one block of text.
const maxSlackText = 3000

// slack posts to an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func (s *Sender) slack(ctx context.Context, config map[string]any, a *alert) (map[string]any, error) {
	channel, err := s.channel(config, "slack")
	if err != nil {
		return nil, err
	}
	message := strings.TrimSpace(a.message)
	blocks := []any{block("plain_text", service.CutRunes(message, maxSlackText))}
	if a.details != "" {
		blocks = append(blocks, block("mrkdwn", "```"+escaped(a.details, maxSlackText-6)+"```"))
	}
	about := escaped(a.severity+" · run "+a.run+" · "+a.item, maxSlackText)
	blocks = append(blocks, map[string]any{"type": "context", "elements": []any{map[string]any{"type": "mrkdwn", "text": about}}})
	answer, err := s.client.Do(ctx, channel.call("Slack", map[string]any{"text": escaped(message, maxSlackText), "blocks": blocks}))
	if err == nil {
		err = answer.Refused()
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"status": "ok"}, nil
}

func block(kind, text string) map[string]any {
	return map[string]any{"type": "section", "text": map[string]any{"type": kind, "text": text}}
}

// escaped writes text so that Slack takes none of it for a link or a mention, in at most so many characters.
func escaped(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ReplaceAll(text, "```", "'''") {
		piece := string(r)
		switch r {
		case '&':
			piece = "&amp;"
		case '<':
			piece = "&lt;"
		case '>':
			piece = "&gt;"
		}
		if n += utf8.RuneCountInString(piece); n >= most {
			b.WriteString("…")
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}
