package streams

import "encoding/json"

// The kinds of casts.
const (
	CastQueues = "queues" // the queues there are now
	CastCancel = "cancel" // a run was cancelled
	CastPause  = "pause"  // a run was paused
	CastResume = "resume" // a run goes on
	CastDied   = "died"   // a node has, and what it was known to hold was handed back
)

// Cast is what a gateway tells all nodes at once, or a keeper all gateways. Losing one delays and breaks nothing.
type Cast struct {
	Kind       string  `json:"kind"`
	Run        string  `json:"run,omitempty"`
	Node       string  `json:"node,omitempty"`
	Queues     []Queue `json:"queues,omitempty"`
	Partitions int     `json:"partitions,omitempty"`
	Reserve    bool    `json:"reserve,omitempty"` // with the queues: the store is nearly full
}

// Encode gives the bytes that travel.
func (c Cast) Encode() []byte {
	data, _ := json.Marshal(c) // strings and numbers always encode
	return data
}

// DecodeCast reads what Encode wrote.
func DecodeCast(data []byte) (c Cast, err error) {
	return c, json.Unmarshal(data, &c)
}
