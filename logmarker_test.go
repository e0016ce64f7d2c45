package orbit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestLogMarkerIsReadFromItsRecordAsItWasMade(t *testing.T) {
	want := orbit.LogMarker{Batch: 3, After: 17, To: 1 << 40, Last: true}
	rec, err := orbit.DecodeRecord(want.Record("run", "gateway", time.Now()).Encode())
	if err != nil {
		t.Fatal(err)
	}
	got, err := rec.LogMarker()
	if err != nil || got != want || rec.Step != orbit.LogsStep || rec.Bundle != "~logs-3" || got.Lineage() != "2" {
		t.Errorf("%+v in %s of %s, %v", got, rec.Bundle, rec.Step, err)
	}
	for _, m := range []orbit.LogMarker{{}, {Batch: 1, After: 2, To: 1}} {
		if _, err := m.Record("run", "gateway", time.Now()).LogMarker(); !errors.Is(err, orbit.ErrFrame) {
			t.Errorf("%+v is a marker: %v", m, err)
		}
	}
}
