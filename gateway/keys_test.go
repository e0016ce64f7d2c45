package gateway

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// keyed is a server to which gateways with key files of their own connect.
type keyed struct {
	*testing.T
	server *streams.Server
	conns  []*nats.Conn
	all    []*Gateway
}

func withKeys(t *testing.T, f func(k *keyed)) {
	t.Helper()
	runtime.GC() // as inBubble does
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		server, err := streams.StartServer(streams.ServerOptions{Name: "test", Dir: filepath.Join(t.TempDir(), "data"), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		k := &keyed{T: t, server: server}
		defer func() {
			for _, g := range k.all {
				g.Stop()
			}
			for _, c := range k.conns {
				c.Close()
			}
			server.Stop()
		}()
		f(k)
	})
}

// try starts a gateway with the keys of a file.
func (k *keyed) try(name, keyFile string, change ...func(*Options)) (*Gateway, error) {
	k.Helper()
	v, err := vault.Open(keyFile)
	if err != nil {
		k.Fatal(err)
	}
	conn, err := streams.Connect(k.Context(), streams.ConnectOptions{Name: name, Server: k.server, Log: zerolog.Nop()})
	if err != nil {
		k.Fatal(err)
	}
	k.conns = append(k.conns, conn)
	registry, err := satellite.NewRegistry()
	if err != nil {
		k.Fatal(err)
	}
	o := Options{Name: name, Version: "1.2.3", Conn: conn, Registry: registry, Classes: placement.DefaultClasses(), Vault: v, Log: zerolog.Nop()}
	for _, c := range change {
		c(&o)
	}
	g, err := Start(k.Context(), o)
	if err == nil {
		k.all = append(k.all, g)
	}
	return g, err
}

func (k *keyed) start(name, keyFile string, change ...func(*Options)) *Gateway {
	k.Helper()
	g, err := k.try(name, keyFile, change...)
	if err != nil {
		k.Fatal(err)
	}
	return g
}

// set stores a secret by way of a gateway; read gives its value by way of another.
func (k *keyed) set(g *Gateway, name, value string) error {
	_, _, err := g.setSecret(k.Context(), "acme", name, value)
	return err
}

func (k *keyed) wantValue(g *Gateway, name, want string) {
	k.Helper()
	if got, err := g.vaultValue(k.Context(), "acme", name); got != want || err != nil {
		k.Errorf("%s reads %q of %s, want %q: %v", g.opts.Name, got, name, want, err)
	}
}

// under counts the stored secrets by the key that they are sealed under.
func (k *keyed) under(g *Gateway) map[string]int {
	k.Helper()
	out := map[string]int{}
	b := g.store.Secrets
	if err := streams.ReadAll(k.Context(), g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Secret
		if err := json.Unmarshal(m.Data, &doc); err != nil {
			return err
		}
		out[doc.Key]++
		return nil
	}); err != nil {
		k.Fatal(err)
	}
	return out
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func addKey(t *testing.T, file string) {
	t.Helper()
	if _, err := vault.AddKey(file); err != nil {
		t.Fatal(err)
	}
}

func TestTheKeyIsChangedWhileTwoGatewaysRun(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.key"), filepath.Join(dir, "two.key")
	withKeys(t, func(k *keyed) {
		a := k.start("a", one)
		copyFile(t, one, two)
		b := k.start("b", two)
		for i := range 20 {
			if err := k.set(a, fmt.Sprint("s", i), fmt.Sprint("CANARY-", i)); err != nil {
				t.Fatal(err)
			}
		}
		old := a.opts.Vault.Newest().Key
		addKey(t, one)
		time.Sleep(5 * time.Minute)
		if got := k.under(a); got[old] != 20 || len(got) != 1 {
			t.Errorf("one gateway has the new key and not the other: %v", got)
		}
		if err := k.set(b, "s0", "CANARY-0b"); err != nil {
			t.Error(err)
		}
		k.wantValue(a, "s0", "CANARY-0b")
		copyFile(t, one, two)
		time.Sleep(5 * time.Minute)
		fresh := a.opts.Vault.Newest().Key
		if got := k.under(a); got[fresh] != 20 || len(got) != 1 || fresh == old {
			t.Errorf("both have it: %v", got)
		}
		k.wantValue(b, "s0", "CANARY-0b")
		k.wantValue(b, "s19", "CANARY-19")
		if err := k.set(b, "s20", "CANARY-20"); err != nil {
			t.Error(err)
		}
		if got := k.under(a); got[fresh] != 21 || len(got) != 1 {
			t.Errorf("a new one: %v", got)
		}
		// The old key is taken out.
		text, _ := os.ReadFile(one)
		_, rest, _ := strings.Cut(string(text), "\n")
		if err := os.WriteFile(one, []byte(rest), 0o600); err != nil {
			t.Fatal(err)
		}
		a.Stop()
		k.wantValue(k.start("c", one), "s7", "CANARY-7")
	})
}

func TestChangingTheKeyMayBreakOffAnywhere(t *testing.T) {
	for i := 0; ; i++ {
		done := false
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secrets.key")
			withKeys(t, func(k *keyed) {
				crashed := make(chan struct{}, 64)
				faults := func(o *Options) {
					o.Faults = fault.New(func(n int, point string) error {
						if n < i || !strings.HasPrefix(point, "keys.") {
							return nil
						}
						crashed <- struct{}{}
						return fault.ErrCrash
					})
				}
				g := k.start("a", file, faults)
				for n := range 3 {
					if err := k.set(g, fmt.Sprint("s", n), fmt.Sprint("CANARY-", n)); err != nil {
						t.Fatal(err)
					}
				}
				addKey(t, file)
				select {
				case <-crashed:
				case <-time.After(10 * time.Minute):
					done = true
				}
				g.Stop()
				g = k.start("b", file)
				for n := range 3 {
					k.wantValue(g, fmt.Sprint("s", n), fmt.Sprint("CANARY-", n))
				}
				time.Sleep(10 * time.Minute)
				if got := k.under(g); got[g.opts.Vault.Newest().Key] != 3 || len(got) != 1 {
					t.Errorf("%v", got)
				}
				for n := range 3 {
					k.wantValue(g, fmt.Sprint("s", n), fmt.Sprint("CANARY-", n))
				}
			})
		})
		if done || t.Failed() {
			if i < 4 {
				t.Errorf("only %d points were found", i)
			}
			return
		}
	}
}

func TestAGatewayWithTheWrongKeyDoesNotStartAndWritesNothing(t *testing.T) {
	dir := t.TempDir()
	right, wrong := filepath.Join(dir, "right.key"), filepath.Join(dir, "wrong.key")
	withKeys(t, func(k *keyed) {
		g := k.start("a", right)
		_, err := k.try("b", wrong)
		if err != nil {
			t.Errorf("nothing is sealed yet: %v", err)
		}
		if err := k.set(g, "s", "CANARY"); err != nil {
			t.Fatal(err)
		}
		state := func() string {
			s, err := g.js.Stream(k.Context(), g.store.Secrets.Stream())
			if err != nil {
				t.Fatal(err)
			}
			a, rev, _ := g.agreements().Get(k.Context(), agreedKey)
			return fmt.Sprint(s.CachedInfo().State.LastSeq, s.CachedInfo().State.Msgs, a, rev)
		}
		before := state()
		for i, want := range []string{"1 secret of this Orbit cannot be opened with the key file " + wrong + ", but by the gateway a: copy the key file of that one here",
			"1 secret of this Orbit cannot be opened with the key file " + wrong + ": sealed under another key ("} {
			if _, err := k.try("c", wrong, func(o *Options) { o.DiscardSecrets = i == 0 }); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if got := state(); got != before {
				t.Errorf("%s became %s", before, got)
			}
			g.Stop()
		}
		again := k.start("d", right)
		k.wantValue(again, "s", "CANARY")
		again.Stop()
		lost := k.start("e", wrong, func(o *Options) { o.DiscardSecrets = true })
		if all, err := lost.listSecrets(k.Context(), "acme"); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		if err := k.set(lost, "s", "CANARY-2"); err != nil {
			t.Error(err)
		}
		k.wantValue(lost, "s", "CANARY-2")
	})
}

func TestAGatewayThatLacksTheKeyRefusesToSealAndSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.key"), filepath.Join(dir, "two.key")
	withKeys(t, func(k *keyed) {
		b := k.start("b", two)
		a := k.start("a", one) // nothing is sealed, so nobody can tell
		if err := k.set(a, "s", "CANARY"); err != nil {
			t.Fatal(err)
		}
		if err := k.set(b, "s", "x"); err == nil || !strings.Contains(err.Error(), "which this one does not have in the key file "+two+": copy that of another gateway here") {
			t.Errorf("%v", err)
		}
		if _, err := b.vaultValue(k.Context(), "acme", "s"); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
			t.Errorf("%v", err)
		}
	})
}
