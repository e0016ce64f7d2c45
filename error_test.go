package orbit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestErrorsSayWhetherAnotherAttemptMayHelp(t *testing.T) {
	for _, c := range []struct {
		err       *orbit.Error
		retryable bool
		after     time.Duration
	}{
		{orbit.Permanent(orbit.CodeInvalidInput, "page %d is damaged", 3), false, 0},
		{orbit.Transient(orbit.CodeTimeout, "page %d is late", 3), true, 0},
		{orbit.RetryAfter(time.Minute, orbit.CodeUnavailable, "page %d is busy", 3), true, time.Minute},
	} {
		if c.err.Retryable != c.retryable || c.err.After != c.after || c.err.Error() != c.err.Message || c.err.Code == "" {
			t.Errorf("%+v", c.err)
		}
		if got := orbit.AsError(fmt.Errorf("run page: %w", c.err)); got != c.err {
			t.Errorf("wrapped, %v became %+v", c.err, got)
		}
	}
}

func TestAnErrorThatSaysNothingOfItselfIsTriedAgain(t *testing.T) {
	got := orbit.AsError(errors.New("boom"))
	if !got.Retryable || got.Code != orbit.CodeInternal || got.Message != "boom" {
		t.Errorf("%+v", got)
	}
}

func TestErrorsInJSONHoldWhatTheAPIPromises(t *testing.T) {
	text, err := json.Marshal(orbit.RetryAfter(time.Minute, orbit.CodeRejected, "no"))
	if want := `{"code":"rejected","message":"no","retryable":true}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestAProblemSpeaksInItsMostTellingSentence(t *testing.T) {
	for want, p := range map[string]*orbit.Problem{"it is gone": {Title: "Not Found", Detail: "it is gone"}, "Not Found": {Title: "Not Found"}} {
		if p.Error() != want {
			t.Errorf("%q, want %q", p.Error(), want)
		}
	}
}
