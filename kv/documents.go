package kv

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/vault"
)

// Run is the document of a run in orbit_runs: what the API shows, and what it takes to go on with the run from nothing else.
type Run struct {
	orbit.Run
	Plan    string     `json:"plan"`              // key in orbit_plans
	Request string     `json:"request,omitempty"` // hash of the request, to tell a repeated one from another with the same key
	Payload *orbit.Ref `json:"payload,omitempty"` // where the payload lies when it is long
	Secrets bool       `json:"secrets,omitempty"` // the run has secrets of its own, under run.<id>
	Closed  bool       `json:"closed,omitempty"`  // for good: its subjects may be purged, nothing of it runs any more
	Archive *Archive   `json:"archive,omitempty"` // of a closed run: where its records are put away

	Purged    bool `json:"purged,omitempty"`    // its subjects are empty; what appears there later is purged again
	Forgotten bool `json:"forgotten,omitempty"` // its archive and blobs are being removed, or have been
}

// AppendJSON appends the document as encoding/json would write it.
func (r *Run) AppendJSON(dst []byte) ([]byte, error) {
	dst, err := r.Run.AppendJSON(dst)
	if err != nil {
		return nil, err
	}
	rest, err := json.Marshal(struct { // of words and numbers that need few fields: encoding/json is quick enough
		Plan    string     `json:"plan"`
		Request string     `json:"request,omitempty"`
		Payload *orbit.Ref `json:"payload,omitempty"`
		Secrets bool       `json:"secrets,omitempty"`
		Closed  bool       `json:"closed,omitempty"`
		Archive *Archive   `json:"archive,omitempty"`

		Purged    bool `json:"purged,omitempty"`
		Forgotten bool `json:"forgotten,omitempty"`
	}{r.Plan, r.Request, r.Payload, r.Secrets, r.Closed, r.Archive, r.Purged, r.Forgotten})
	if err != nil {
		return nil, err
	}
	dst[len(dst)-1] = ','
	return append(dst, rest[1:]...), nil
}

// Cluster is the document of a registered cluster in orbit_clusters.
type Cluster struct {
	orbit.ClusterDoc
	Plan string `json:"plan"` // key in orbit_plans
}

// Satellite is the document of a satellite that a project has registered, in orbit_satellites: its description, no code.
type Satellite struct {
	orbit.SatelliteSpec
	Version   string    `json:"version"` // hash of the description
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ClusterKey is the key of a cluster, or of a satellite, of its identifier.
func ClusterKey(identifier string) string {
	b := []byte(identifier)
	for i := range b {
		if b[i] == '/' {
			b[i] = '.'
		}
	}
	return string(b)
}

// Trigger is the document of a trigger in orbit_triggers: how far it is. What it is stands in the cluster's plan.
type Trigger struct {
	Paused bool      `json:"paused,omitempty"`
	Since  time.Time `json:"since"` // nothing from before it counts

	// Of cron. A tick is decided on by a CAS that moves Tick past it; Due is then launched, however often.
	Tick    time.Time   `json:"tick"`            // the last that was decided on
	Due     *time.Time  `json:"due,omitempty"`   // the tick whose run is being launched
	Queue   []time.Time `json:"queue,omitempty"` // ticks that wait for the run before them to end
	Run     string      `json:"run,omitempty"`   // of the last tick
	Skipped int         `json:"skipped,omitempty"`

	LastRun string    `json:"last_run,omitempty"` // of whatever kind, started by hand included
	LastAt  time.Time `json:"last_at"`
	Error   string    `json:"error,omitempty"` // why the last one made no run

	TokenHash string `json:"token_hash,omitempty"` // of webhook: the last part of its URL, which is sealed in orbit_secrets
}

// TriggerKey is the key of a trigger's document.
func TriggerKey(cluster, id string) string { return ClusterKey(cluster) + "." + id }

// Node is the document of a node in orbit_nodes.
type Node struct {
	orbit.NodeDoc
	Hardware orbit.Hardware `json:"hardware"`
	Seen     time.Time      `json:"seen"`
}

// Secret is a document of orbit_secrets: what is sealed for an owner, who is the key. A secret of a project's vault tells
// its version and times as well; they are no secret.
type Secret struct {
	vault.Sealed
	Version   int       `json:"version,omitempty"` // grows with each change
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Plan is a compiled plan, as its own JSON.
type Plan = RawJSON

// RawJSON is a document that is passed on as it is.
type RawJSON struct{ Text []byte }

// MarshalJSON implements json.Marshaler.
func (r *RawJSON) MarshalJSON() ([]byte, error) { return r.Text, nil }

// UnmarshalJSON implements json.Unmarshaler.
func (r *RawJSON) UnmarshalJSON(text []byte) error {
	r.Text = append([]byte(nil), text...)
	return nil
}

// Store is every bucket of Orbit.
type Store struct {
	Runs       *Bucket[Run]
	History    *Bucket[Run]
	Clusters   *Bucket[Cluster]
	Satellites *Bucket[Satellite]
	Plans      *Bucket[Plan]
	Nodes      *Bucket[Node]
	Triggers   *Bucket[Trigger]
	Secrets    *Bucket[Secret]
	Blobs      *Blobs
}

// NewStore gives access to the buckets over a connection.
func NewStore(nc *nats.Conn, js jetstream.JetStream) *Store {
	return &Store{
		Runs:       Open[Run](nc, js, RunsBucket),
		History:    Open[Run](nc, js, HistoryBucket),
		Clusters:   Open[Cluster](nc, js, ClustersBucket),
		Satellites: Open[Satellite](nc, js, SatellitesBucket),
		Plans:      Open[Plan](nc, js, PlansBucket),
		Nodes:      Open[Node](nc, js, NodesBucket),
		Triggers:   Open[Trigger](nc, js, TriggersBucket),
		Secrets:    Open[Secret](nc, js, SecretsBucket),
		Blobs:      NewBlobs(js),
	}
}
