package exec_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/exec"
)

// program is what the test binary does when it is started as a satellite's process.
func program(behaviour string) {
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	framing := os.Getenv("ORBIT_FRAMING")
	if behaviour == "node" {
		node()
	}
	if behaviour != "silent" {
		write(framing, `{"orbit": 1}`)
	}
	if behaviour == "leaves at once" {
		fmt.Fprintln(os.Stderr, "no model found")
		os.Exit(4)
	}
	served := 0
	for {
		body, err := read(in, framing)
		if err != nil {
			os.Exit(0)
		}
		var r request
		if err := json.Unmarshal(body, &r); err != nil {
			os.Exit(9)
		}
		served++
		serve(framing, behaviour, &r, served)
	}
}

// node is a process that runs a satellite until it is killed; it tells the id of the satellite's process.
func node() {
	e := exec.New(exec.Options{Spec: &satellite.Spec{Name: "acme/probe"}, Command: []string{os.Args[0], "satellite", "echo"}})
	_ = e.Run(context.Background(), &satellite.Invocation{Config: map[string]any{"do": "defiant"}, Step: "s", Lineage: "0"}, func(o orbit.Object) error {
		fmt.Println(string(must(o.MarshalJSON())))
		return nil
	})
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

type request struct {
	ID             string         `json:"id"`
	Config         map[string]any `json:"config"`
	Input          any            `json:"input"`
	Incoming       any            `json:"incoming"`
	Run            string         `json:"run"`
	Item           string         `json:"item"`
	Attempt        int            `json:"attempt"`
	IdempotencyKey string         `json:"idempotency_key"`
}

func serve(framing, behaviour string, r *request, served int) {
	answer := func(format string, args ...any) { write(framing, fmt.Sprintf(format, args...)) }
	done := func() { answer(`{"id": %q, "done": true}`, r.ID) }
	what, _ := r.Config["do"].(string)
	if what == "" {
		what = behaviour
	}
	switch what {
	case "echo":
		text, _ := json.Marshal(map[string]any{"config": r.Config, "input": r.Input, "incoming": r.Incoming, "run": r.Run, "item": r.Item, "attempt": r.Attempt,
			"key": r.IdempotencyKey, "pid": os.Getpid(), "served": served})
		answer(`{"id": %q, "emit": %s}`, r.ID, text)
		done()
	case "environment":
		text, _ := json.Marshal(map[string]any{"env": os.Environ(), "args": os.Args[1:]})
		answer(`{"id": %q, "emit": %s}`, r.ID, text)
		done()
	case "count":
		for i := range 3 {
			answer(`{"id": %q, "emit": {"n": %d}}`, r.ID, i)
		}
		done()
	case "log":
		fmt.Fprintf(os.Stderr, "reading\n\nhalf a line")
		answer(`{"id": %q, "log": {"level": "warn", "message": "slow", "fields": {"pages": 3, "message": "mine"}}}`, r.ID)
		done()
	case "permanent":
		answer(`{"id": %q, "error": {"code": "invalid_input", "message": "the text is empty"}}`, r.ID)
	case "later":
		answer(`{"id": %q, "error": {"code": "Not A Code", "message": "the model loads", "retry": true, "retry_after": 7200}}`, r.ID)
	case "crash":
		fmt.Fprintln(os.Stderr, "Traceback: out of luck")
		os.Exit(3)
	case "garbage":
		_, _ = os.Stdout.WriteString("Hello CANARY-stdout!\n")
		done()
	case "another id":
		answer(`{"id": "0", "done": true}`)
	case "no object":
		answer(`{"id": %q, "emit": [1]}`, r.ID)
	case "endless":
		for {
			answer(`{"id": %q, "emit": {"text": %q}}`, r.ID, strings.Repeat("x", 64<<10))
		}
	case "one long line":
		for {
			_, _ = os.Stdout.WriteString(strings.Repeat("x", 1<<20))
		}
	case "sleep":
		answer(`{"id": %q, "emit": {"pid": %d}}`, r.ID, os.Getpid())
		forever()
	case "defiant":
		signal.Ignore(syscall.SIGTERM)
		answer(`{"id": %q, "emit": {"pid": %d}}`, r.ID, os.Getpid())
		forever()
	case "parent":
		kid := osexec.Command("sleep", "1000")
		_ = kid.Start()
		answer(`{"id": %q, "emit": {"pid": %d}}`, r.ID, kid.Process.Pid)
		forever()
	case "memory":
		held := make([]byte, 256<<20)
		for i := range held {
			held[i] = 1
		}
		forever()
	default:
		os.Exit(8)
	}
}

// forever waits for a signal that nobody sends.
func forever() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	<-c
}

func read(in *bufio.Reader, framing string) ([]byte, error) {
	if framing != "length" {
		return in.ReadBytes('\n')
	}
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(in, body)
	return body, err
}

func write(framing, text string) {
	if framing == "length" {
		text = string(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) + text
	} else {
		text += "\n"
	}
	if _, err := os.Stdout.WriteString(text); err != nil {
		os.Exit(0)
	}
}
