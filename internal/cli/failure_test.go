package cli_test

import (
	"net/http"
	"testing"

	"github.com/exospherehost/orbit"
)

func TestWhatGoesWrongIsOneSentence(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	html := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	for name, c := range map[string]struct {
		line string
		api  http.Handler
		env  map[string]string
		want string
	}{
		"no gateway":         {"runs", nil, nil, "no gateway answers at http://127.0.0.1:7070; start one with `orbit dev` or `orbit-gateway`, or name another with --gateway"},
		"another gateway":    {"nodes", nil, map[string]string{"ORBIT_GATEWAY": "http://far:1/"}, "no gateway answers at http://far:1; start one with `orbit dev` or `orbit-gateway`, or name another with --gateway"},
		"the flag wins":      {"nodes --gateway http://flag:1", nil, map[string]string{"ORBIT_GATEWAY": "http://far:1"}, "no gateway answers at http://flag:1; start one with `orbit dev` or `orbit-gateway`, or name another with --gateway"},
		"no URL":             {"runs --gateway localhost", nil, nil, `"localhost" is no URL of a gateway; write it like http://127.0.0.1:7070`},
		"no token":           {"runs", &fakeAPI{token: "t"}, nil, "the gateway at http://127.0.0.1:7070 needs a token: --token or ORBIT_TOKEN"},
		"another token":      {"runs --token u", &fakeAPI{token: "t"}, nil, "the gateway at http://127.0.0.1:7070 does not accept the token it was given; check --token or ORBIT_TOKEN"},
		"no such run":        {"status nope", &fakeAPI{runs: []orbit.Run{running()}}, nil, "there is no run nope"},
		"no such cluster":    {"delete demo/none", &fakeAPI{}, nil, "there is no cluster demo/none; `orbit clusters` lists those there are"},
		"no identifier":      {"delete none", &fakeAPI{}, nil, `"none" is no identifier of a cluster; write it like project/name, as ` + "`orbit clusters` shows it"},
		"neither of both":    {"run none", &fakeAPI{}, nil, `"none" is neither a file that exists nor an identifier of a cluster such as project/name`},
		"a file not there":   {"run none.yml", &fakeAPI{}, nil, "none.yml cannot be read: there is no such file"},
		"no payload":         {"run a/b --payload @none.json", &fakeAPI{}, nil, "none.json cannot be read: there is no such file"},
		"a proxy":            {"runs", page, nil, "what listens at http://127.0.0.1:7070 is no gateway: its answer to GET /v1/runs was 502 Bad Gateway; check --gateway"},
		"a web page":         {"runs", html, nil, "what listens at http://127.0.0.1:7070 is no gateway: its answer to GET /v1/runs was 200 OK; check --gateway"},
		"no such satellite":  {"satellites nope", nil, nil, "there is no satellite \"nope\"; `orbit satellites` lists those there are"},
		"nothing to decode":  {"decode", nil, nil, "there is nothing on stdin to decode; pipe a message in, as from `nats stream get ORBIT_0 SEQ --json`"},
		"no mesh to run in":  {"dev", nil, nil, "this build of orbit holds no mesh; start `orbit-gateway` and `orbit-node` instead, and name the gateway with --gateway"},
		"no mesh to run one": {"run --local testdata/reports.yml", nil, nil, "this build of orbit holds no mesh; start `orbit-gateway` and `orbit-node` instead, and name the gateway with --gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			invoke(call{args: orbitArgs(c.line), api: c.api, env: c.env}).expect(t, 1, "", "orbit: "+c.want+"\n")
		})
	}
}

func TestTheTokenIsSent(t *testing.T) {
	for _, c := range []call{
		{args: orbitArgs("runs"), env: map[string]string{"ORBIT_TOKEN": "t\n"}},
		{args: orbitArgs("--token t runs"), env: map[string]string{"ORBIT_TOKEN": "other"}},
	} {
		c.api = &fakeAPI{token: "t"}
		if got := invoke(c); got.code != 0 {
			t.Errorf("%v: exit code %d: %s", c.args, got.code, got.stderr)
		}
	}
}
