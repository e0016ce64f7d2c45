package streams

import (
	"fmt"
	"sync/atomic"

	"github.com/rs/zerolog"
)

// serverLog passes the embedded server's log on: warnings and worse as they are, the rest at debug level.
type serverLog struct {
	log  zerolog.Logger
	last atomic.Pointer[string] // last error or fatal, for the message when it does not start
}

func (l *serverLog) Noticef(f string, a ...any) { l.log.Debug().Msgf(f, a...) }
func (l *serverLog) Warnf(f string, a ...any)   { l.log.Debug().Msgf(f, a...) }
func (l *serverLog) Debugf(string, ...any)      {}
func (l *serverLog) Tracef(string, ...any)      {}
func (l *serverLog) Errorf(f string, a ...any) {
	s := fmt.Sprintf(f, a...)
	l.last.Store(&s)
	l.log.Warn().Msg(s)
}
func (l *serverLog) Fatalf(f string, a ...any) {
	s := fmt.Sprintf(f, a...)
	l.last.Store(&s)
	l.log.Error().Msg(s)
}
