package cli_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/cli"
)

// fakeMesh notes how it is started and stopped.
type fakeMesh struct {
	options cli.MeshOptions
	stopped int
	drained bool // Stop was given time
}

func (m *fakeMesh) URL() string   { return "http://127.0.0.1:40404" }
func (m *fakeMesh) Token() string { return "mesh-token" }
func (m *fakeMesh) Stop(ctx context.Context) {
	m.stopped++
	m.drained = ctx.Err() == nil
}

func (m *fakeMesh) start(_ context.Context, o cli.MeshOptions) (cli.Mesh, error) {
	m.options = o
	return m, nil
}

func TestLocalRunsOnAPrivateMeshAndStopsIt(t *testing.T) {
	mesh := &fakeMesh{}
	api := &fakeAPI{token: "mesh-token", runs: []orbit.Run{ended(orbit.RunPartial, 1)}, outputs: map[string]string{"": "{\"a\":1}\n"}}
	got := invoke(call{args: orbitArgs("run --local testdata/reports.yml"), api: api, deps: cli.Deps{StartMesh: mesh.start}, env: map[string]string{"ORBIT_TOKEN": "other"}})
	if got.code != 3 || got.stdout != "{\"a\":1}\n" || !strings.HasPrefix(got.stderr, "run "+runID+" of demo/reports, on a private mesh\n") {
		t.Errorf("exit code %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
	mesh.options.Log = nil
	if d := cmp.Diff(cli.MeshOptions{Nodes: 1, Quiet: true}, mesh.options); d != "" || mesh.stopped != 1 {
		t.Errorf("stopped %d times, options (-want +got):\n%s", mesh.stopped, d)
	}
}

func TestCtrlCWithLocalDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		mesh := &fakeMesh{}
		got := invoke(call{args: orbitArgs("run --local testdata/reports.yml"), api: &fakeAPI{runs: []orbit.Run{running()}}, deps: cli.Deps{StartMesh: mesh.start}, ctx: ctx})
		if got.code != 130 || mesh.stopped != 1 || !mesh.drained || !strings.Contains(got.stderr, "interrupted; the run is drained and ends here") {
			t.Errorf("exit code %d, stopped %d times, drained %v, stderr:\n%s", got.code, mesh.stopped, mesh.drained, got.stderr)
		}
	})
}

func TestLocalJudgesTheFileBeforeAnythingIsStarted(t *testing.T) {
	mesh := &fakeMesh{}
	got := invoke(call{args: orbitArgs("run --local testdata/wrong.yml"), deps: cli.Deps{StartMesh: mesh.start}})
	if got.code != 1 || mesh.options.Nodes != 0 {
		t.Errorf("exit code %d, options %+v", got.code, mesh.options)
	}
}

func TestDevRunsAMeshUntilItIsStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		mesh := &fakeMesh{}
		got := invoke(call{args: orbitArgs("dev --data /tmp/somewhere --nodes 3"), deps: cli.Deps{StartMesh: mesh.start}, ctx: ctx})
		if got.code != 0 || got.stdout != "" || mesh.stopped != 1 || !mesh.drained {
			t.Errorf("exit code %d, stdout %q, stopped %d times, drained %v", got.code, got.stdout, mesh.stopped, mesh.drained)
		}
		for _, want := range []string{"3 nodes", "http://127.0.0.1:40404", "nats://127.0.0.1:4222", "/tmp/somewhere", "orbit run FILE --wait"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("%q is not in:\n%s", want, got.stderr)
			}
		}
		mesh.options.Log = nil
		want := cli.MeshOptions{Dir: "/tmp/somewhere", Nodes: 3, HTTP: "127.0.0.1:7070", NATS: "127.0.0.1:4222", Gossip: "127.0.0.1:7946"}
		if d := cmp.Diff(want, mesh.options); d != "" {
			t.Errorf("options (-want +got):\n%s", d)
		}
	})
}

func TestAMeshThatCannotBeStartedIsSaidInASentence(t *testing.T) {
	failing := func(context.Context, cli.MeshOptions) (cli.Mesh, error) {
		return nil, errors.New("the address 127.0.0.1:7070 is in use; is another gateway running?")
	}
	invoke(call{args: orbitArgs("dev"), deps: cli.Deps{StartMesh: failing}}).
		expect(t, 1, "", "orbit: the mesh could not be started: the address 127.0.0.1:7070 is in use; is another gateway running?\n")
}

func TestModelsAreKnownToTheCompilerAndTheMesh(t *testing.T) {
	dir := t.TempDir()
	file, models := dir+"/a.yml", dir+"/models.yml"
	save(t, file, "version: 0.0.1b\ncluster:\n  identifier: demo/a\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: acme/writer\n      input: {prompt: Hello}\n")
	section := "acme/writer: {url: http://127.0.0.1:8000/v1}\n"
	save(t, models, section)
	for _, flag := range []string{"@" + models, section} {
		mesh := &fakeMesh{}
		got := invoke(call{args: []string{"run", "--local", file, "--models", flag}, api: &fakeAPI{token: "mesh-token", runs: []orbit.Run{ended(orbit.RunSucceeded, 0)}}, deps: cli.Deps{StartMesh: mesh.start}})
		if got.code != 0 || mesh.options.Models != section {
			t.Errorf("exit code %d, models %q, stderr:\n%s", got.code, mesh.options.Models, got.stderr)
		}
		invoke(call{args: []string{"lint", file, "--models", flag}}).expect(t, 0, "", "1 file, nothing wrong\n")
	}
	if got := invoke(call{args: []string{"lint", file}}); got.code != 1 || !strings.Contains(got.stdout, "ORB-C030") {
		t.Errorf("without the model: exit code %d: %s", got.code, got.stdout)
	}
	invoke(call{args: []string{"lint", file, "--models", "[]"}}).
		expect(t, 1, "", "orbit: --models is no map from names of satellites to endpoints; write it like '{exospherehost/gemma-3-27b: {url: http://127.0.0.1:8000/v1}}'\n")
	invoke(call{args: []string{"lint", file, "--models", "{Acme: {}}"}}).
		expect(t, 1, "", "orbit: --models: \"Acme\" is no name of a satellite; write project/name, each of a-z, 0-9, hyphens and underscores\n")
}
