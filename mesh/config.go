package mesh

import (
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
)

// check finds what a person may have got wrong.
func (c *Config) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("gossip needs a name for this machine; give one with --name")
	case len(c.Name) > maxName:
		return fmt.Errorf("the name %.20q… has %d bytes; gossip takes at most %d", c.Name, len(c.Name), maxName)
	case c.Role != Node && c.Role != Gateway:
		return fmt.Errorf("the role %q is neither %q nor %q", c.Role, Node, Gateway)
	}
	switch len(c.Key) {
	case 0, 16, 24, 32: // AES-128, -192, -256
		return nil
	}
	return fmt.Errorf("the gossip key has %d bytes; it must have 16, 24 or 32", len(c.Key))
}

// maxName keeps a name, its address and 512 bytes of metadata well within one packet of 1,400 bytes.
const maxName = 128

// timings gives memberlist's own presets for a local network, or for one machine, and what we need beyond them.
func (c *Config) timings() *memberlist.Config {
	mc := memberlist.DefaultLANConfig()
	if host, _, err := net.SplitHostPort(c.Bind); err == nil && c.Transport == nil && isLoopback(host) {
		mc = memberlist.DefaultLocalConfig()
		mc.TCPTimeout = 5 * time.Second // the preset's one second is missed on a machine that is busy with work
	}
	mc.Name = c.Name
	if len(c.Key) > 0 {
		mc.SecretKey = c.Key
	}
	// A node that died and comes back under its name has another port as a rule. Without this its new address is
	// refused for as long as the dead one is remembered. Any time above zero will do; by then it has been found dead.
	mc.DeadNodeReclaimTime = time.Millisecond
	mc.Logger = adapt(c.Log)
	return mc
}
