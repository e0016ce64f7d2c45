package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestCommandsThatLookShowTables(t *testing.T) {
	missed := ended(orbit.RunPartial, 2)
	missed.ID, missed.DeadlineMissed = "zyxwvtsrqpnmkjhgfedc", true
	missed.CreatedAt, missed.StartedAt, missed.FinishedAt = start.Add(-25*time.Hour), after(-25*time.Hour), after(-18*time.Hour)
	api := func() *fakeAPI {
		return &fakeAPI{
			runs: []orbit.Run{running(), missed},
			items: []orbit.ItemDoc{
				{ID: "get-files/0", Satellite: "get-files", State: orbit.ItemSucceeded, Attempts: 1, Node: "a", StartedAt: after(-3 * time.Second), FinishedAt: after(-2950 * time.Millisecond)},
				{ID: "parse-pdf/0.0", Satellite: "parse-pdf", State: orbit.ItemRunning, Attempts: 0, Node: "b", StartedAt: after(-65 * time.Second)},
				failedItem("0.1", nil, "the PDF is\nencrypted"),
			},
			outputs: map[string]string{"": "{\"a\":1}\n{\"a\":2}\n", "get-files": "{\"file-name\":\"a.pdf\"}\n"},
		}
	}
	for line, want := range map[string]string{
		"runs": `ID                    CLUSTER       STATE    TRIGGER    DONE  FAILED  STARTED      TIME
0123456789abcdefghjk  demo/reports  running  api-call   8/17       0  00:00:00      0ms
zyxwvtsrqpnmkjhgfedc  demo/reports  partial  api-call  23/23       2  1999-12-30  7h00m
`,
		"status " + runID: `run       0123456789abcdefghjk
cluster   demo/reports  version 0123456789ab
state     running
trigger   api-call at 00:00:00
deadline  06:00:00 (6h SLA), in 6h00m
time      0ms

SATELLITE  PART  CLASS  WAITING  RUNNING  RETRYING  SUCCEEDED  FAILED  SKIPPED  CANCELLED
get-files  main  cpu          0        0         0          1       0        0          0
parse-pdf  main  cpu          6        2         0          4       0        0          0
send       main  cpu          0        1         0          3       0        0          0
`,
		"items " + runID: `ID             STATE      ATTEMPTS  NODE   TIME  ERROR
get-files/0    succeeded         1  a      50ms  -
parse-pdf/0.0  running           0  b     1m05s  -
parse-pdf/0.1  failed            1  a     250ms  the PDF is encrypted
`,
		"items " + runID + " --state failed --satellite parse-pdf": `ID             STATE   ATTEMPTS  NODE   TIME  ERROR
parse-pdf/0.1  failed         1  a     250ms  the PDF is encrypted
`,
		"outputs " + runID: "{\"a\":1}\n{\"a\":2}\n",
		"outputs " + runID + " --satellite get-files": "{\"file-name\":\"a.pdf\"}\n",
		"clusters": `CLUSTER       VERSION       SLA  SATELLITES  UPDATED     TITLE
demo/reports  0123456789ab  6h            3  1999-12-30  Reports
`,
		"nodes": `NAME  STATE     CLASS    POOLS          CORES  MEMORY  GPUS           SLOTS  ADDRESS         VERSION
a     alive     cpu      core               2    8GiB  -                1/2  127.0.0.1:7946  1.0
b     draining  gpu-80g  core, model-x     32  256GiB  2x H100 80GiB   0/32  10.0.0.2:7946   1.0

NODE  MODEL   STATE     FOR  TOKENS/S  ERROR
b     acme/x  ready   1h00m    1250.5  -
b     acme/y  failed  1m30s         -  its server ended with exit status 1
b     acme/z  bound       -         -  -
`,
		"queues": `CLASS    POOL     TIER  WAITING  RUNNING  OLDEST
cpu      core     6h        120        2   1m30s
gpu-80g  model-x  24h         0        0       -
`,
		"delete demo/reports":         "demo/reports removed, with its latest version 0123456789ab of 3 satellites\n",
		"delete cluster/demo/reports": "demo/reports removed, with its latest version 0123456789ab of 3 satellites\n",
		"cancel " + runID:             runID + " is cancelled\n",
	} {
		t.Run(line, func(t *testing.T) {
			bubble(t, func(t *testing.T) { invoke(call{args: orbitArgs(line), api: api()}).expect(t, 0, want, "") })
		})
	}
}

func TestListsInJSONAreOnePageOfTheAPI(t *testing.T) {
	var items []orbit.ItemDoc
	for _, l := range []orbit.Lineage{"0.0", "0.1", "0.2", "0.3", "0.4"} { // the fake gives two a page
		items = append(items, failedItem(l, nil, "broken"))
	}
	api := &fakeAPI{runs: []orbit.Run{running()}, items: items}
	got := invoke(call{args: orbitArgs("items -o json " + runID), api: api})
	var list struct {
		Data []orbit.ItemDoc `json:"data"`
		Next *string         `json:"next"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil {
		t.Fatalf("%v in:\n%s", err, got.stdout)
	}
	if got.code != 0 || len(list.Data) != 5 || list.Next != nil || list.Data[4].ID != "parse-pdf/0.4" {
		t.Errorf("exit code %d, list %+v", got.code, list)
	}
	invoke(call{args: orbitArgs("runs -o json a/b"), api: &fakeAPI{}}).expect(t, 0, "{\n  \"data\": [],\n  \"next\": null\n}\n", "")
}

func TestDocumentsInJSONAreThoseOfTheAPI(t *testing.T) {
	got := invoke(call{args: orbitArgs("status -o json " + runID), api: &fakeAPI{runs: []orbit.Run{running()}}})
	var run orbit.Run
	if err := json.Unmarshal([]byte(got.stdout), &run); err != nil || run.ID != runID || got.code != 0 {
		t.Errorf("exit code %d, %v in:\n%s", got.code, err, got.stdout)
	}
}

func TestAnEmptyListIsSaidInASentence(t *testing.T) {
	invoke(call{args: orbitArgs("runs"), api: &fakeAPI{}}).expect(t, 0, "", "no runs yet; start one with `orbit run`\n")
}

func TestFiltersAreSentToTheGateway(t *testing.T) {
	api := &fakeAPI{runs: []orbit.Run{running()}}
	invoke(call{args: orbitArgs("runs cluster/demo/reports"), api: api})
	invoke(call{args: orbitArgs("runs satellite/demo/count"), api: api})
	invoke(call{args: orbitArgs("items " + runID + " --state retrying"), api: api})
	got := strings.Join(api.requests, "\n")
	want := "GET /v1/runs?cluster=demo%2Freports&limit=500\nGET /v1/runs?cluster=satellite%2Fdemo%2Fcount&limit=500\nGET /v1/runs/" + runID + "/items?limit=500&state=retrying"
	if got != want {
		t.Errorf("requests:\n%s\nwant:\n%s", got, want)
	}
}

func TestRunsOfWhatIsNoIdentifierAreRefused(t *testing.T) {
	for name, want := range map[string]string{"demo": "no identifier of a cluster", "a/b/c": "no identifier of a cluster", "satellite/a/b/c": "no satellite; write it like satellite/project/name",
		"satellite//": "no satellite"} {
		if got := invoke(call{args: orbitArgs("runs " + name), api: &fakeAPI{}}); got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, %s", name, got.code, got.stderr)
		}
	}
}

func TestLookingAtAFailedRunIsNoFailure(t *testing.T) {
	run := ended(orbit.RunFailed, 12)
	run.Error = "parse-pdf/0.3: the PDF is encrypted"
	got := invoke(call{args: orbitArgs("status " + runID), api: &fakeAPI{runs: []orbit.Run{run}}})
	if got.code != 0 || !strings.Contains(got.stdout, "error     parse-pdf/0.3: the PDF is encrypted\n") {
		t.Errorf("exit code %d, stdout:\n%s", got.code, got.stdout)
	}
}
