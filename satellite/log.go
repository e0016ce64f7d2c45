package satellite

import (
	"encoding/json"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/vault"
)

// MaskedLog gives a logger whose lines are masked before they reach log. What a satellite writes may hold the secrets it was
// given.
func MaskedLog(log zerolog.Logger, mask *vault.Masker) zerolog.Logger {
	if !mask.Active() {
		return log
	}
	return zerolog.New(&maskedWriter{log, mask}).Level(log.GetLevel())
}

// maskedWriter takes finished lines and logs them again, masked, with the fields of its logger.
type maskedWriter struct {
	log  zerolog.Logger
	mask *vault.Masker
}

// Write implements io.Writer.
func (w *maskedWriter) Write(line []byte) (int, error) { return w.WriteLevel(zerolog.NoLevel, line) }

// WriteLevel implements zerolog.LevelWriter.
func (w *maskedWriter) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return len(line), nil // zerolog writes JSON; anything else is not let through unseen
	}
	message, _ := fields[zerolog.MessageFieldName].(string)
	delete(fields, zerolog.MessageFieldName)
	delete(fields, zerolog.LevelFieldName)
	masked, _ := w.mask.Value(fields).(map[string]any)
	w.log.WithLevel(level).Fields(masked).Msg(w.mask.Text(message))
	return len(line), nil
}
