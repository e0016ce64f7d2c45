package mesh

import (
	"log"
	"strings"

	"github.com/rs/zerolog"
)

// adapt turns memberlist's log lines into debug messages. Even its errors are routine here: a peer that cannot be reached
// is what gossip is for, and reaches the operator as a change of state.
func adapt(l zerolog.Logger) *log.Logger { return log.New(lines{l}, "", 0) }

type lines struct{ log zerolog.Logger }

func (w lines) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if level, rest, ok := strings.Cut(text, "] "); ok && strings.HasPrefix(level, "[") {
		text = rest
	}
	w.log.Debug().Msg(strings.TrimPrefix(text, "memberlist: "))
	return len(line), nil
}
