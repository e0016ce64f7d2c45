// Package scripttest runs scripts against the real commands: processes of their own that talk over TCP on loopback, that
// are killed, run out of disk, and are given bad input. The scripts are in testdata/script, one scenario a file.
//
//	script ──exec, start──► orbit, orbit-gateway, orbit-node, nats, a webhook server, an external NATS server, an S3 server
//	       ──kill9, term──►
//	       ──waitrun, exactly, nowhere──► what became of it, seen through the API and in the folders
//
// The commands are this test binary started again under their names, which saves linking each of them. Nothing is waited
// for by the clock: each wait is for something that shows, and has a limit.
package scripttest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/internal/localmesh"
)

// atOnce is how many scripts run side by side. They mostly wait, so it is more than the cores.
const atOnce = "6"

func TestMain(m *testing.M) {
	commands := map[string]func(){
		"orbit":         func() { os.Exit(localmesh.Main(os.Args[1:])) },
		"orbit-gateway": func() { os.Exit(boot.GatewayCommand().Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"orbit-node":    func() { os.Exit(boot.NodeCommand().Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"nats-server":   natsServer,
		"webhooks":      webhooks,
		"curl":          curl,
	}
	if _, isCommand := commands[filepath.Base(os.Args[0])]; !isCommand {
		flag.Parse()
		chosen := false
		flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
		if !chosen {
			if err := flag.Set("test.parallel", atOnce); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	testscript.Main(m, commands)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setUp,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"fails":      fails,
			"freeports":  freePorts,
			"start":      start,
			"term":       term,
			"interrupt":  interrupt,
			"kill9":      kill9,
			"waitready":  waitReady,
			"waitlog":    waitLog,
			"waitrun":    waitRun,
			"waititems":  waitItems,
			"waitnode":   waitNode,
			"going":      going,
			"onceeach":   onceEach,
			"exactly":    exactly,
			"jsonlines":  jsonLines,
			"keep":       keep,
			"make":       makeFile,
			"nowhere":    nowhere,
			"readme":     readme,
			"readmeyaml": readmeYAML,
			"doc":        doc,
			"runid":      runID,
			"nogap":      noGap,
			"has":        has,
			"files":      countFiles,
			"fill":       fill,
			"send":       send,
			"fetch":      fetch,
			"repo":       repo,
			"reports":    reports,
			"buckets":    buckets,
		},
	})
}

// root is the top of the repository, seen from this package.
const root = "../.."

// setUp gives a script its processes, a home of its own, and the commands under bin/, where the README has them.
func setUp(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" { // the user's, so that the PDF reader is compiled once and not by every node
		if dir, err := os.UserCacheDir(); err == nil {
			cache = dir
		}
	}
	env.Setenv("HOME", home)
	env.Setenv("XDG_CACHE_HOME", cache)
	env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	env.Setenv("NO_COLOR", "1")
	bin := filepath.Join(env.WorkDir, "bin")
	for _, dir := range []string{home, bin} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	own := filepath.SplitList(os.Getenv("PATH"))[0]
	for _, name := range []string{"orbit", "orbit-gateway", "orbit-node"} {
		if err := os.Link(filepath.Join(own, name), filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	p := newProcesses(env.WorkDir)
	env.Values[processesKey{}] = p
	t := env.T()
	env.Defer(func() {
		p.killAll()
		if failed, ok := t.(interface{ Failed() bool }); ok && failed.Failed() {
			t.Log(p.lastWords())
		}
	})
	return nil
}

// testscript's own stop and skip end a script early and let it pass.
func TestNoScriptEndsBeforeItsEnd(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	early := regexp.MustCompile(`(?m)^(\[[^]]*\] *)*(stop|skip)\b`)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if found := early.Find(text); found != nil {
			t.Errorf("%s: %q ends the script; term ends a process", script, found)
		}
	}
}
