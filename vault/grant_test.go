package vault_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit/vault"
)

func newKeys(t *testing.T) *vault.Keys {
	t.Helper()
	k, err := vault.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestGrantIsOpenedByTheNodeThatAskedAndForThatQuestion(t *testing.T) {
	node, other := newKeys(t), newKeys(t)
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	asked := vault.Request{Run: "r", Bundle: "b", Step: "s", Node: "n1", Key: node.Public()}
	values := vault.Answer{Values: map[string]string{"TOKEN": "CANARY-1"}, Lacks: map[string]string{"OTHER": "nobody set it"}}
	sender, box, err := vault.SealTo(asked, values, now)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, []byte("CANARY")) || bytes.Contains(box, []byte("TOKEN")) {
		t.Error("the grant shows its content")
	}
	if got, err := node.Open(asked, sender, box, now.Add(time.Minute)); err != nil || !reflect.DeepEqual(*got, values) {
		t.Errorf("%v, %v", got, err)
	}
	with := func(change func(*vault.Request)) vault.Request { r := asked; change(&r); return r }
	flipped := bytes.Clone(box)
	flipped[len(flipped)-1] ^= 1
	for name, try := range map[string]func() (*vault.Answer, error){
		"another node's key": func() (*vault.Answer, error) { return other.Open(asked, sender, box, now) },
		"two minutes later":  func() (*vault.Answer, error) { return node.Open(asked, sender, box, now.Add(2*time.Minute+1)) },
		"for another run": func() (*vault.Answer, error) {
			return node.Open(with(func(r *vault.Request) { r.Run = "x" }), sender, box, now)
		},
		"for another bundle": func() (*vault.Answer, error) {
			return node.Open(with(func(r *vault.Request) { r.Bundle = "x" }), sender, box, now)
		},
		"for another step": func() (*vault.Answer, error) {
			return node.Open(with(func(r *vault.Request) { r.Step = "x" }), sender, box, now)
		},
		"under another name": func() (*vault.Answer, error) {
			return node.Open(with(func(r *vault.Request) { r.Node = "x" }), sender, box, now)
		},
		"from another sender": func() (*vault.Answer, error) { return node.Open(asked, other.Public(), box, now) },
		"from nobody":         func() (*vault.Answer, error) { return node.Open(asked, "", box, now) },
		"a changed box":       func() (*vault.Answer, error) { return node.Open(asked, sender, flipped, now) },
		"a box cut short":     func() (*vault.Answer, error) { return node.Open(asked, sender, box[:10], now) },
		"no box":              func() (*vault.Answer, error) { return node.Open(asked, sender, nil, now) },
	} {
		if got, err := try(); !errors.Is(err, vault.ErrOpen) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestGrantsAreSealedToUsableKeysOnly(t *testing.T) {
	for _, key := range []string{"", "X", "UABC", strings.Repeat("X", 56)} {
		if _, _, err := vault.SealTo(vault.Request{Node: "n1", Key: key}, vault.Answer{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "n1 sent no usable key") {
			t.Errorf("%q: %v", key, err)
		}
	}
}
