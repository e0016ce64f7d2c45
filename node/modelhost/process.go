package modelhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit/internal/group"
)

// Command is what starts a server.
type Command struct {
	Name string // of the satellite; it names the log
	Args []string
	Env  []string
	Dir  string // of the log
}

// environment is that of the node without its own settings and secrets, and with the devices that the server may see.
func environment(hidden []string, devices string) []string {
	// CUDA numbers devices by how fast they are unless it is told to do as the driver does.
	env := []string{"CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=" + devices}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "ORBIT_") && name != "CUDA_DEVICE_ORDER" && name != "CUDA_VISIBLE_DEVICES" && !slices.Contains(hidden, name) {
			env = append(env, v)
		}
	}
	return env
}

// child is a server that is a process group of this machine.
type child struct {
	group *group.Group
	log   *journal
	wrote sync.WaitGroup // its log is written
}

// start starts a child process whose output goes to its log.
func start(c Command) (Process, error) {
	log, err := openJournal(c.Dir, c.Name)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		_ = log.Close()
		return nil, err
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.Env, w, w
	p := &child{log: log}
	p.log.begin(c.Args)
	p.wrote.Go(func() {
		p.log.copy(r)
		_, _ = r.Close(), log.Close()
	})
	p.group, err = group.Start(cmd, func() {
		_ = r.SetReadDeadline(time.Now().Add(group.Stuck)) // a process that has left its group may hold the pipe for as long as it likes
		p.wrote.Wait()
	})
	_ = w.Close() // the process has it
	if err != nil {
		p.wrote.Wait()
		return nil, errors.New(cause(err))
	}
	return p, nil
}

func (p *child) Gone() <-chan struct{} { return p.group.Gone() }

func (p *child) Ended() (how, tail string) {
	how = "cannot be ended"
	if s := p.group.State(); s != nil {
		how = fmt.Sprintf("ended with %s", s)
	}
	return how, p.log.last()
}

func (p *child) Stop(grace time.Duration) { p.group.End(grace) }

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
