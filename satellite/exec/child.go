package exec

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/group"
	"github.com/exospherehost/orbit/satellite"
)

// child is one process and what belongs to it. Its items are worked on one after the other.
type child struct {
	o        *Options
	cmd      *osexec.Cmd
	in, out  *os.File // our ends of its pipes
	voice    *voice
	answers  chan []byte   // closed at the end of its stdout
	unheard  error         // why its stdout ended; set before answers is closed
	leave    chan struct{} // closed when nobody takes answers any more
	group    *group.Group
	once     sync.Once
	overfull atomic.Bool // it was killed for its memory

	readers, writers sync.WaitGroup
}

// newChild starts a process. It is to be greeted.
func newChild(o *Options) (*child, error) {
	c := &child{o: o, answers: make(chan []byte), leave: make(chan struct{})}
	c.cmd = osexec.Command(o.Command[0], o.Command[1:]...)
	c.cmd.Dir, c.cmd.Env = o.Dir, o.environment()
	if err := c.launch(); err != nil {
		return nil, orbit.Transient(orbit.CodeUnavailable, "%s: the program %s cannot be started on this node (%s); install it, or correct `command` in its satellite.yml",
			o.Spec.Name, o.Command[0], cause(err))
	}
	return c, nil
}

// launch makes the pipes and the process.
func (c *child) launch() (err error) {
	var files []*os.File
	pipe := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				files = append(files, r, w)
			}
		}
		return r, w
	}
	stdin, in := pipe()
	out, stdout := pipe()
	said, stderr := pipe()
	if err == nil {
		c.voice, err = newVoice(said)
	}
	if err == nil {
		c.in, c.out = in, out
		c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = stdin, stdout, stderr
		// A process that has left its group may hold the pipes for as long as it likes; what is in them when it ends is there then.
		c.group, err = group.Start(c.cmd, func() {
			soon := time.Now().Add(group.Stuck)
			_ = out.SetReadDeadline(soon)
			_ = said.SetReadDeadline(soon)
		})
	}
	if err != nil {
		for _, f := range files {
			_ = f.Close()
		}
		return err
	}
	for _, f := range []*os.File{stdin, stdout, stderr} {
		_ = f.Close() // the process has them
	}
	c.readers.Go(c.listen)
	c.readers.Go(c.voice.listen)
	return nil
}

// listen takes the messages of its stdout.
func (c *child) listen() {
	defer close(c.answers)
	r := bufio.NewReaderSize(c.out, 64<<10)
	for {
		frame, err := readFrame(r, c.o.Framing)
		if err != nil {
			c.unheard = err
			return
		}
		select {
		case c.answers <- frame:
		case <-c.leave:
			return
		}
	}
}

// greet waits for the first message, which says that the program speaks our protocol.
func (c *child) greet(ctx context.Context) error {
	limit := time.NewTimer(c.o.Start)
	defer limit.Stop()
	var a *satellite.Answer
	var err error
	select {
	case frame, ok := <-c.answers:
		if !ok {
			return c.crash("before it was given an item")
		}
		a, err = satellite.ReadAnswer(frame)
	case <-limit.C:
		return orbit.Transient(orbit.CodeUnavailable, `%s: its process did not say {"orbit": %d} within %s of its start; raise start-timeout, or let it say so before it loads anything`,
			c.o.Spec.Name, satellite.Protocol, c.o.Start)
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil || a.Orbit != satellite.Protocol {
		return orbit.Permanent(orbit.CodeInternal, `%s: its process did not begin with {"orbit": %d} on stdout; what a program prints for people belongs on stderr`,
			c.o.Spec.Name, satellite.Protocol)
	}
	return nil
}

// do works on one item. A process is used again only where reusable says so.
func (c *child) do(ctx context.Context, r *satellite.Request, inv *satellite.Invocation, emit satellite.Emit) (reusable bool, err error) {
	body, err := r.Encode()
	if err != nil {
		return true, err
	}
	c.voice.begin(&inv.Log)
	defer c.voice.finish()
	wrote := make(chan error, 1)
	c.writers.Go(func() { wrote <- writeFrame(c.in, c.o.Framing, body) })
	for left := int64(c.o.MaxOutput); ; {
		var frame []byte
		var more bool
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case frame, more = <-c.answers:
		}
		switch {
		case !more && errors.Is(c.unheard, errTooLong):
			return false, orbit.Permanent(orbit.CodeTooLarge, "%s returned an object of more than %s; let it write a file and return the place", inv.Item(), orbit.Bytes(maxFrame))
		case !more:
			return false, c.crash("while it worked on " + inv.Item())
		}
		if left -= int64(len(frame)); left < 0 {
			return false, orbit.Permanent(orbit.CodeTooLarge, "%s returned more than %s together; raise max-output, or let it write files and return the places", inv.Item(), c.o.MaxOutput)
		}
		a, err := satellite.ReadAnswer(frame)
		if err == nil && a.ID != r.ID {
			err = fmt.Errorf("%w: its id is not that of the request", satellite.ErrAnswer)
		}
		var o orbit.Object
		if err == nil && a.Emit != nil {
			o, err = a.Object()
		}
		switch {
		case err != nil: // its text is not shown: it may be of another item, with other secrets
			return false, orbit.Permanent(orbit.CodeInternal, "%s: its process wrote to stdout %v; print to stderr instead", c.o.Spec.Name, err)
		case a.Emit != nil:
			if err := emit(o); err != nil {
				return false, err
			}
		case a.Log != nil:
			c.voice.aside(a.Log, &inv.Log)
		case a.Error != nil:
			return c.heard(ctx, wrote), a.Error.AsError(c.o.Spec.Name, orbit.CodeInternal, false)
		case a.Done:
			return c.heard(ctx, wrote), nil
		}
	}
}

// heard tells whether the process has taken the whole request, now that it has answered it.
func (c *child) heard(ctx context.Context, wrote <-chan error) bool {
	select {
	case err := <-wrote:
		return err == nil
	default:
	}
	limit := time.NewTimer(group.Stuck)
	defer limit.Stop()
	select {
	case err := <-wrote:
		return err == nil
	case <-limit.C: // it answers without reading: the rest would be taken for the next request
	case <-ctx.Done():
	}
	return false
}

// crash tells how the process ended that should not have.
func (c *child) crash(when string) error {
	c.group.Within(group.Stuck) // most often it is ending by itself, and says why
	tail := c.voice.finish()
	c.end()
	if c.overfull.Load() {
		return orbit.Transient(orbit.CodeTooLarge, "%s: its process used more memory than %s %s and was killed; raise memory-limit, or make the item smaller", c.o.Spec.Name, c.o.Memory, when)
	}
	how := "closed its stdout"
	if c.group.State() != nil { // not one that nothing could end
		how = "ended with " + c.group.State().String()
	}
	message := fmt.Sprintf("%s: its process %s %s", c.o.Spec.Name, how, when)
	if tail != "" {
		message += "; the last it wrote: " + tail
	}
	return orbit.Transient(orbit.CodePanic, "%s", message)
}

// idle tells whether the process waits for an item: it lives and has nothing to say.
func (c *child) idle() bool {
	select {
	case <-c.group.Gone():
		return false
	case <-c.answers:
		return false
	default:
		return true
	}
}

// end ends the process and its whole group: SIGTERM, and after a grace SIGKILL. It returns when they are gone. A second call
// waits too.
func (c *child) end() {
	c.once.Do(func() {
		close(c.leave)
		_ = c.in.Close()
		c.group.End(c.o.Grace)
		_ = c.out.Close()
		_ = c.voice.pipe.Close()
		c.readers.Wait()
		c.writers.Wait()
	})
}

// kill sends SIGKILL to the whole group; whoever works with the process finds it gone.
func (c *child) kill() { c.group.Signal(syscall.SIGKILL) }

// cause is the innermost error's text: "executable file not found in $PATH".
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
