package orbit

import "time"

// The documents of the HTTP API. Times are UTC and written in RFC 3339; an absent time is null.

// Run is one execution of one version of a cluster.
type Run struct {
	ID             string         `json:"id"`
	Cluster        string         `json:"cluster"` // project/name
	Version        string         `json:"version"`
	State          RunState       `json:"state"`
	Round          int            `json:"round"` // from 1; `orbit retry` opens the next
	SLA            Duration       `json:"sla"`
	Trigger        RunTrigger     `json:"trigger"`
	CreatedAt      time.Time      `json:"created_at"`
	StartedAt      *time.Time     `json:"started_at"`
	Deadline       time.Time      `json:"deadline"`
	FinishedAt     *time.Time     `json:"finished_at"`
	DeadlineMissed bool           `json:"deadline_missed"`
	Error          string         `json:"error,omitempty"`
	Usage          Usage          `json:"usage,omitempty"` // of all its satellites
	Satellites     []RunSatellite `json:"satellites"`
}

// Count sets the satellites of a run, and what they come to.
func (r *Run) Count(satellites []RunSatellite) {
	r.Satellites, r.Usage = satellites, nil
	for i := range satellites {
		r.Usage.Add(satellites[i].Usage)
	}
}

// Execution is a satellite that was called alone. It is a run, whose id is its own.
type Execution struct {
	ID        string    `json:"execution_id"`
	SLA       Duration  `json:"sla"`
	Status    RunState  `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Output    []Object  `json:"output"`         // what the satellite returned; null until it has succeeded
	Error     *string   `json:"error"`          // why it failed; null where it did not
	Retries   int       `json:"retries"`        // attempts after the first that were made
	Hint      string    `json:"hint,omitempty"` // where the output is, where it is not shown
}

// RunTrigger says what started a run.
type RunTrigger struct {
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Payload Object    `json:"payload"`
}

// RunSatellite is one step of a run with its items counted by state.
type RunSatellite struct {
	Identifier string     `json:"identifier"`
	Uses       string     `json:"uses"`
	Part       string     `json:"part"`
	Class      string     `json:"class"`
	Items      ItemCounts `json:"items"`
	Usage      Usage      `json:"usage,omitempty"` // by all committed attempts, failed ones too
}

// ItemCounts is a number of items for each state, in the order of ItemStates. In JSON every state has its key.
type ItemCounts [len(ItemStates)]int

// CountItems makes counts of a map; unknown states are passed over.
func CountItems(counts map[ItemState]int) ItemCounts {
	var c ItemCounts
	for i, state := range ItemStates {
		c[i] = counts[state]
	}
	return c
}

// Cancel counts as cancelled what has not ended.
func (c *ItemCounts) Cancel() {
	cancelled := len(c) - 1
	for i, state := range ItemStates[:cancelled] {
		if !state.Terminal() {
			c[cancelled] += c[i]
			c[i] = 0
		}
	}
}

// Of is the number of items in a state.
func (c ItemCounts) Of(state ItemState) int {
	for i, s := range ItemStates {
		if s == state {
			return c[i]
		}
	}
	return 0
}

// ItemDoc is one item of a run.
type ItemDoc struct {
	ID         string     `json:"id"`
	Satellite  string     `json:"satellite"`
	Lineage    Lineage    `json:"lineage"`
	State      ItemState  `json:"state"`
	Attempts   int        `json:"attempts"` // all but infrastructure losses
	Node       string     `json:"node"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Input      Object     `json:"input"` // the incoming object
	Outputs    []Object   `json:"outputs"`
	Error      *Error     `json:"error"`
	Usage      Usage      `json:"usage,omitempty"` // by its last attempt
}

// ClusterDoc is a registered cluster.
type ClusterDoc struct {
	Identifier  string    `json:"identifier"`
	Version     string    `json:"version"`
	Title       string    `json:"title,omitempty"`
	Description string    `json:"description,omitempty"`
	SLA         Duration  `json:"sla"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Satellites  []string  `json:"satellites"` // identifiers of the steps, in order
}

// TriggerDoc is one way in which runs of a cluster start, and how far it is.
type TriggerDoc struct {
	Name    string      `json:"name"`    // project/name/type, with a number where there are several of one type
	Cluster string      `json:"cluster"` // project/name
	Type    string      `json:"type"`    // cron, api-call, webhook, event or cluster
	When    string      `json:"when"`    // the cron expression with its zone, the subject, the other cluster; "" for the rest
	State   string      `json:"state"`   // active or paused
	Next    []time.Time `json:"next"`    // of cron: the next ticks
	LastRun string      `json:"last_run,omitempty"`
	LastAt  *time.Time  `json:"last_at"`
	Waiting int         `json:"waiting"`         // ticks that wait for a run to end
	Skipped int         `json:"skipped"`         // ticks that came while a run went on
	Error   string      `json:"error,omitempty"` // why the last one made no run
	URL     string      `json:"url,omitempty"`   // of webhook: the path that is called, which is as good as a password
	Overlap string      `json:"overlap,omitempty"`
	CatchUp string      `json:"catch_up,omitempty"`
	Signed  bool        `json:"signed,omitempty"` // of webhook: requests must carry a signature
	Filter  string      `json:"filter,omitempty"`
}

// NodeDoc is one machine of the mesh.
type NodeDoc struct {
	Name    string   `json:"name"`
	State   string   `json:"state"` // alive, suspect, draining, left or dead
	Class   string   `json:"class"`
	Pools   []string `json:"pools"`
	CPU     NodeCPU  `json:"cpu"`
	Memory  Bytes    `json:"memory"`
	GPUs    []GPU    `json:"gpus"`
	Slots   Slots    `json:"slots"`
	Address string   `json:"address"` // of its gossip
	Version string   `json:"version"`
	// Models are those that the node answers for. They came in later than the rest: older nodes tell of none.
	Models []ModelDoc `json:"models,omitempty"`
}

// ModelDoc is a model that a node answers for.
type ModelDoc struct {
	Name            string     `json:"name"`                        // of the satellite
	State           ModelState `json:"state"`                       // of the server, where the node starts it
	Since           *time.Time `json:"since,omitempty"`             // when it came into that state
	Error           string     `json:"error,omitempty"`             // why it failed, or is not started though work waits
	TokensPerSecond float64    `json:"tokens_per_second,omitempty"` // of answers, over the last minute
}

// ModelState is how far a model is.
type ModelState string

// The states of a model. All but bound are of servers that the node starts.
const (
	ModelBound    ModelState = "bound"    // to an endpoint that somebody else runs
	ModelStopped  ModelState = "stopped"  // nothing waits for it, or the GPU is needed for another
	ModelStarting ModelState = "starting" // its server does not answer yet
	ModelReady    ModelState = "ready"
	ModelStopping ModelState = "stopping" // it makes room for another, or the node stops
	ModelFailed   ModelState = "failed"   // its server could not be started, or ended; it is tried again
)

// ModelStates lists every state.
var ModelStates = [...]ModelState{ModelBound, ModelStopped, ModelStarting, ModelReady, ModelStopping, ModelFailed}

// NodeCPU is what a machine has of processors.
type NodeCPU struct {
	Cores int `json:"cores"`
}

// Slots are how many bundles a node runs at once.
type Slots struct {
	Total int `json:"total"`
	Busy  int `json:"busy"`
}

// SecretDoc is a secret in a project's vault: all that is told of it.
type SecretDoc struct {
	Name      string    `json:"name"`
	Version   int       `json:"version"` // 1 when it was set first
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// QueueDoc is one queue of work.
type QueueDoc struct {
	Class   string     `json:"class"`
	Pool    string     `json:"pool"`
	Tier    string     `json:"tier"`
	Waiting int        `json:"waiting"` // bundles not taken yet
	Running int        `json:"running"` // bundles that a node holds
	Oldest  *time.Time `json:"oldest"`  // when the oldest of them was put there
}

// Problem is an error of the API: RFC 9457 problem details.
type Problem struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Status      int    `json:"status"`
	Detail      string `json:"detail,omitempty"`
	Diagnostics any    `json:"diagnostics,omitempty"`
}

// Error implements error: the sentence for a person.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Heartbeat is what a node says of itself every few seconds.
type Heartbeat struct {
	Node     NodeDoc  `json:"node"`
	Hardware Hardware `json:"hardware"`
	Running  []Held   `json:"running,omitempty"` // at most MaxHeld
}

// Held is a bundle that a node is working on.
type Held struct {
	Run    string `json:"run"`
	Step   string `json:"step"`
	Bundle string `json:"bundle"`
	Items  int    `json:"items"`
	Since  int64  `json:"since,omitempty"` // when it came to the node, Unix milliseconds
}

// MaxHeld bounds a heartbeat: 1,000 bundles are about 100 KiB.
const MaxHeld = 1000
