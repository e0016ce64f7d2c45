package boot

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

// NewLogger writes log lines for people (text) or for programs (json).
func NewLogger(out io.Writer, level, format string) zerolog.Logger {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	if format != "json" {
		out = zerolog.ConsoleWriter{Out: out, NoColor: true, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(out).Level(l).With().Timestamp().Logger()
}
