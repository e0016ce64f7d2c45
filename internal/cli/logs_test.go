package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

// logRecord is one of parse-pdf/<lineage>.
func logRecord(at time.Duration, level orbit.LogLevel, lineage orbit.Lineage, attempt int, message, fields string) orbit.LogRecord {
	return orbit.LogRecord{Key: "k" + string(lineage), Time: start.Add(at), Level: level, Message: message, Fields: json.RawMessage(fields), Run: runID,
		Satellite: "parse-pdf", Item: orbit.ItemID("parse-pdf", lineage), Attempt: attempt, Node: "a"}
}

var aLog = []orbit.LogRecord{
	logRecord(-25*time.Hour, orbit.LogInfo, "0.1", 1, "reading", `{"pages":12,"file":"q3 report.pdf","rule":"a \u003c b","none":null,"list":["x y"]}`),
	logRecord(time.Second, orbit.LogWarn, "0.1", 1, "did not succeed and is tried again: the file\nis locked", `{"code":"unavailable"}`),
	logRecord(65*time.Second, orbit.LogError, "0.17", 2, "failed: \x1b[31mthe file is encrypted", `{}`),
}

const aLogText = `1999-12-30 23:00:00  info   parse-pdf/0.1  reading  pages=12 file="q3 report.pdf" rule="a < b" none=null list=["x y"]
00:00:01  warn   parse-pdf/0.1  did not succeed and is tried again: the file is locked  code=unavailable
00:01:05  error  parse-pdf/0.17 #2  failed:  [31mthe file is encrypted
`

func TestLogsAreLinesThatAPersonCanRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		invoke(call{args: orbitArgs("logs " + runID), api: &fakeAPI{log: aLog, runs: []orbit.Run{running()}}}).expect(t, 0, aLogText, "")
	})
	invoke(call{args: orbitArgs("logs " + runID), api: &fakeAPI{}}).expect(t, 0, "", "nothing was said\n")
}

func TestLogsInJSONAreOneRecordALine(t *testing.T) {
	for _, line := range []string{"logs -o json " + runID, "logs -f -o json " + runID} {
		got := invoke(call{args: orbitArgs(line), api: &fakeAPI{log: aLog, runs: []orbit.Run{running()}}})
		lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
		if got.code != 0 || len(lines) != len(aLog) {
			t.Fatalf("exit code %d, stdout:\n%s", got.code, got.stdout)
		}
		for i, text := range lines {
			var r orbit.LogRecord
			if err := json.Unmarshal([]byte(text), &r); err != nil || r.Message != aLog[i].Message {
				t.Errorf("%v in %s", err, text)
			}
		}
	}
}

func TestAFollowedLogGoesOnWhereItBrokeOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &fakeAPI{log: aLog, cut: 2, runs: []orbit.Run{running()}}
		invoke(call{args: orbitArgs("logs -f --level WARN --satellite parse-pdf " + runID), api: api}).expect(t, 0, aLogText,
			"the gateway does not answer; the run goes on, and this waits for the gateway\n")
		want := "GET /v1/runs/" + runID + "/logs?level=warn&satellite=parse-pdf"
		if len(api.requests) != 3 || api.requests[1] != want || api.requests[2] != want {
			t.Errorf("requests %q", api.requests)
		}
	})
}

func TestNobodyWaitsForAGatewayThatWasNeverThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		invoke(call{args: orbitArgs("logs -f " + runID)}).expect(t, 1, "",
			"orbit: no gateway answers at http://127.0.0.1:7070; start one with `orbit dev` or `orbit-gateway`, or name another with --gateway\n")
		invoke(call{args: orbitArgs("logs -f nope"), api: &fakeAPI{runs: []orbit.Run{running()}}}).expect(t, 1, "", "orbit: there is no run nope\n")
	})
}
