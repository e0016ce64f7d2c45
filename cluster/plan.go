// Package cluster turns a cluster file into a plan, and says what a plan implies: which bundles a committed one gives
// birth to, and when a run is settled. It owns the YAML grammar with its positions, the diagnostics, and ${{ }}.
//
//	YAML ──Compile──► Diagnostics + Plan ──Next──► child bundles
//	                                    └──Tally──► outstanding, verdict
//
// It is pure: no I/O, no goroutine, no clock. Where the time matters it is an argument.
package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/exospherehost/orbit"
)

// Part says what a step belongs to.
type Part string

// The parts of a cluster.
const (
	Main    Part = "main"
	Failure Part = "failure"
	Logs    Part = "logs"
)

// Plan is a compiled cluster: immutable, complete, without secret values. Its JSON is what is stored and hashed.
type Plan struct {
	Identifier  string         `json:"identifier"` // project/name
	Title       string         `json:"title,omitempty"`
	Description string         `json:"description,omitempty"`
	SLA         orbit.Duration `json:"sla"`
	Triggers    []Trigger      `json:"triggers"`
	Secrets     []SecretSource `json:"secrets,omitempty"`
	Steps       []Step         `json:"steps"` // main (a parent before its children, else in file order), then failure, then logs
	FailureFrom string         `json:"failure_from,omitempty"`

	byName map[string]int
	wired  *wiring
	naming sync.Once // guards hash, which is made when it is first asked for
	hash   string
}

// Trigger is one way a run of the cluster starts.
type Trigger struct {
	Type     string `json:"type"`               // cron, api-call, webhook, event or cluster
	Cron     string `json:"cron,omitempty"`     // five fields or a macro
	Timezone string `json:"timezone,omitempty"` // of cron; UTC by default
	Overlap  string `json:"overlap,omitempty"`  // of cron: skip (default), queue, cancel or allow
	CatchUp  string `json:"catch_up,omitempty"` // of cron: latest (default), none or all
	Secret   string `json:"secret,omitempty"`   // of webhook: the declared secret that signs requests
	Subject  string `json:"subject,omitempty"`  // of event: the NATS subject
	Filter   string `json:"filter,omitempty"`   // of event: source text of a condition on trigger.payload
	Cluster  string `json:"cluster,omitempty"`  // of cluster: whose end starts a run
	On       string `json:"on,omitempty"`       // of cluster: the end state waited for
}

// SecretSource says where the value of a declared secret comes from. An inline value is never part of a plan.
type SecretSource struct {
	Name   string `json:"name"`
	Source string `json:"source"`        // inline, env or vault
	Key    string `json:"key,omitempty"` // of env and vault: the name there
}

// Step is one satellite of a cluster, as compiled.
type Step struct {
	Identifier  string          `json:"identifier"`
	Name        string          `json:"name,omitempty"`
	Uses        string          `json:"uses"` // full name of the satellite, project/name
	Part        Part            `json:"part"`
	Parents     []string        `json:"parents"`
	Children    []string        `json:"children"`
	Depth       int             `json:"depth"` // ordinals in the lineage of its items: 1 for a root
	Class       string          `json:"class"`
	Pool        string          `json:"pool"`
	Resources   orbit.Resources `json:"resources"`
	Join        *Join           `json:"join"`
	Retries     RetryPolicy     `json:"retries"`
	Timeout     orbit.Duration  `json:"timeout"`
	Delay       orbit.Duration  `json:"delay,omitempty"`
	Concurrency int             `json:"concurrency,omitempty"`
	RateLimit   *Rate           `json:"rate_limit,omitempty"`
	If          string          `json:"if,omitempty"`     // source text of the condition
	Config      *Template       `json:"config,omitempty"` // keys of the schema in kebab-case
	Input       *Template       `json:"input,omitempty"`  // nil: the incoming object
	Secrets     []string        `json:"secrets,omitempty"`
	Grants      []Grant         `json:"grants,omitempty"`
	Live        []Live          `json:"live,omitempty"`
	PrimaryText string          `json:"primary_text,omitempty"`
	BundleHint  int             `json:"bundle_hint"`
}

// Join says how a step with several parents, or with `unites`, brings items together.
type Join struct {
	Scope      string  `json:"scope"`    // identifier of the scope step, or RunScope
	Strategy   string  `json:"strategy"` // all-success or all-done
	MinPercent float64 `json:"min_percent,omitempty"`
	MinCount   int     `json:"min_count,omitempty"`
	// Members are the steps whose work counts: those below the scope that lead here, inner joins included. The join waits
	// until all of it that lies below its scope object has ended.
	Members []string `json:"members"`
}

// RunScope is the scope of a join that is made once a run; it cannot be an identifier of a step.
const RunScope = "run"

// Rate is a limit on attempts over the whole mesh.
type Rate struct {
	Count int            `json:"count"`
	Per   orbit.Duration `json:"per"`
}

// Grant lends the secrets in an ancestor's config to a step that reads the ancestor's files.
type Grant struct {
	Step    string    `json:"step"`
	Secrets *Template `json:"secrets"` // that step's config.secrets; reads nothing but secrets.*
}

// Live is what the items of a step carry of an ancestor's output beside their incoming object, because the step or one
// below it reads it. The parent itself is not listed: its output is the incoming object. The pseudo-step Payload stands for the trigger's payload.
type Live struct {
	Step   string   `json:"step"`
	Fields []string `json:"fields,omitempty"` // top-level fields, sorted; empty: the whole object
	// Many: a join lies between, and the value is the list of the objects below the join's scope object, in lineage order.
	Many bool `json:"many,omitempty"`
}

// Names of live values that are no step's output; neither can be an identifier of a step.
const (
	Payload = "$trigger" // the trigger's payload
	Failed  = "$failure" // in failure steps: what failed, as an object with error, code, satellite and item
)

// ParsePlan reads what Plan.Encode wrote.
func ParsePlan(text []byte) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	p.index()
	return p, nil
}

// Encode gives the plan's JSON. The same plan gives the same bytes.
func (p *Plan) Encode() []byte {
	text, err := json.Marshal(p)
	if err != nil { // a plan holds nothing that JSON has not
		panic(err)
	}
	return text
}

// Hash names the plan by its content: 32 hexadecimal digits, 128 bit of SHA-256.
func (p *Plan) Hash() string {
	p.naming.Do(func() {
		sum := sha256.Sum256(p.Encode())
		p.hash = hex.EncodeToString(sum[:16])
	})
	return p.hash
}

// Version is the short name of the plan that people see: the first 12 digits of its hash.
func (p *Plan) Version() string { return p.Hash()[:12] }

// Step finds a step by its identifier.
func (p *Plan) Step(identifier string) (*Step, bool) {
	if p.byName == nil {
		p.index()
	}
	i, ok := p.byName[identifier]
	if !ok {
		return nil, false
	}
	return &p.Steps[i], true
}

// Roots are the main steps without parents: one item each when a run starts.
func (p *Plan) Roots() []*Step {
	return p.Firsts(Main)
}

// Firsts are the steps of a part that no edge enters.
func (p *Plan) Firsts(part Part) []*Step {
	var firsts []*Step
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Part == part && len(s.Parents) == 0 {
			firsts = append(firsts, s)
		}
	}
	return firsts
}

// Leaf tells whether the objects of this step are outputs of the run.
func (s *Step) Leaf() bool { return s.Part == Main && len(s.Children) == 0 }

// Held tells whether nodes only name the bundles of the step, and the leader publishes them: at their time, or as many as may
// run at once. A root's only item has nothing to wait for but its delay.
func (s *Step) Held() bool { return s.Delay > 0 || s.Limited() }

// Limited tells whether the leader counts how many items of the step run at once.
func (s *Step) Limited() bool {
	return s.Concurrency > 0 && (s.Part != Main || s.Join != nil || len(s.Parents) > 0)
}

// SeesPayload tells whether the step's items carry the trigger's payload, or are made of it.
func (s *Step) SeesPayload() bool {
	return s.Feeder() == Payload || slices.ContainsFunc(s.Live, func(l Live) bool { return l.Step == Payload })
}

// Feeder is the name under which the incoming object of the step's items is known: its parent's, Payload for a root, Failed
// for a first failure step; empty for a join, and for a first log step.
func (s *Step) Feeder() string { return feederOf(s.Part, s.Join != nil, s.Parents) }

func feederOf(part Part, join bool, parents []string) string {
	switch {
	case join:
		return ""
	case len(parents) > 0:
		return parents[0]
	case part == Main:
		return Payload
	case part == Failure:
		return Failed
	}
	return ""
}

func (p *Plan) index() {
	p.byName = make(map[string]int, len(p.Steps))
	for i := range p.Steps {
		p.byName[p.Steps[i].Identifier] = i
	}
	p.wired = p.wire()
}

func (p *Plan) wiring() *wiring {
	if p.wired == nil {
		p.index()
	}
	return p.wired
}
