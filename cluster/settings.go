package cluster

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

var (
	retriesKeys   = []string{"max", "strategy", "delay", "factor", "max-delay", "jitter"}
	unitesKeys    = []string{"identifier", "strategy", "min-success"}
	resourcesKeys = []string{"gpu-memory", "cpu", "memory", "model", "class"}
)

// maxRetries bounds retries: more of them only hide a mistake.
const maxRetries = 100

// readRetries reads `retries: 3` or the map, on top of what holds without it.
func (c *compiler) readRetries(v field, base RetryPolicy) RetryPolicy {
	if v.value.Kind != yaml.MappingNode {
		if n, ok := c.integer(v.value, "retries", 0, maxRetries); ok {
			base.Max = n
		}
		return base
	}
	f, _ := c.fields(v.value, v.key, "retries", retriesKeys...)
	if m, ok := f.get("max"); ok {
		if n, ok := c.integer(m.value, "retries.max", 0, maxRetries); ok {
			base.Max = n
		}
	}
	if m, ok := f.get("strategy"); ok {
		base.Strategy = c.oneOf(m.value, "retries.strategy", "exponential", "linear", "fixed")
	}
	if m, ok := f.get("jitter"); ok {
		base.Jitter = c.oneOf(m.value, "retries.jitter", "full", "equal", "none")
	}
	if m, ok := f.get("delay"); ok {
		base.Delay, _ = c.duration(m.value, "retries.delay")
	}
	if m, ok := f.get("max-delay"); ok {
		base.MaxDelay, _ = c.duration(m.value, "retries.max-delay")
	}
	if m, ok := f.get("factor"); ok {
		var x float64
		if m.value.Kind != yaml.ScalarNode || m.value.Decode(&x) != nil || m.value.ShortTag() == "!!str" {
			c.error(at(m.value), codeType, "", "retries.factor must be a number, not %s", describe(m.value))
		} else if !(x >= 1 && x <= 100) {
			c.error(at(m.value), codeValue, "2 doubles the wait each time", "retries.factor must be from 1 to 100")
		} else {
			base.Factor = x
		}
	}
	return base
}

var ratePattern = regexp.MustCompile(`^\s*([0-9]{1,9})\s*/\s*(s|m|h|sec|min|hour|second|minute)\s*$`)

// readRate reads "10/s".
func (c *compiler) readRate(n *yaml.Node) *Rate {
	w, ok := c.text(n, "rate-limit")
	if !ok {
		return nil
	}
	m := ratePattern.FindStringSubmatch(w.Text)
	if m == nil || strings.Trim(m[1], "0") == "" {
		c.error(w.Pos, codeAmount, "write it like 10/s, 100/m or 1000/h", "rate-limit is no rate: %s", quoted(w.Text))
		return nil
	}
	count, _ := strconv.Atoi(m[1])
	per := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}[m[2][0]]
	return &Rate{Count: count, Per: orbit.Duration(per)}
}

// readResources reads the least hardware of a step.
func (c *compiler) readResources(v field) (r orbit.Resources) {
	f, _ := c.fields(v.value, v.key, "resources", resourcesKeys...)
	r.GPUMemory = c.readBytes(f, "gpu-memory")
	r.Memory = c.readBytes(f, "memory")
	if n, ok := f.get("cpu"); ok {
		r.CPU, _ = c.integer(n.value, "resources.cpu", 1, 4096)
	}
	if w, ok := f.text("model"); ok {
		r.Model = w.Text
	}
	if w, ok := f.text("class"); ok {
		r.Class = w.Text
	}
	return r
}

func (c *compiler) readBytes(f *fields, key string) orbit.Bytes {
	w, ok := f.text(key)
	if !ok {
		return 0
	}
	b, err := orbit.ParseBytes(w.Text)
	if err != nil {
		c.error(w.Pos, codeAmount, "write it like 16GiB or 512MiB", "resources.%s is no amount of memory: %s", key, quoted(w.Text))
	}
	return b
}

// readUnites reads how a join is meant.
func (c *compiler) readUnites(v field) *Unites {
	u := &Unites{Pos: v.key, Strategy: "all-success"}
	f, ok := c.fields(v.value, v.key, "unites", unitesKeys...)
	if !ok {
		return nil
	}
	u.Identifier, _ = f.text("identifier")
	if s, ok := f.get("strategy"); ok {
		u.Strategy = c.oneOf(s.value, "unites.strategy", "all-success", "all-done")
	}
	m, ok := f.get("min-success")
	if !ok {
		return u
	}
	w, ok := c.text(m.value, "unites.min-success")
	if !ok {
		return u
	}
	if share, ok := strings.CutSuffix(strings.TrimSpace(w.Text), "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(p >= 0 && p <= 100) {
			c.error(w.Pos, codeAmount, "write a share like 95% or a count like 10", "unites.min-success is no share: %s", quoted(w.Text))
			return u
		}
		u.MinPercent = p
	} else {
		n, err := strconv.Atoi(w.Text)
		if err != nil || n < 0 || n > math.MaxInt32 {
			c.error(w.Pos, codeAmount, "write a share like 95% or a count like 10", "unites.min-success is no share and no count: %s", quoted(w.Text))
			return u
		}
		u.MinCount = n
	}
	if u.Strategy == "all-success" {
		c.error(m.key, codeUnites, "add strategy: all-done", "min-success goes with the strategy all-done only")
	}
	return u
}
