package streams

import (
	"encoding/json"
	"time"
)

// PermitPatience is how long a node waits for an answer.
const PermitPatience = 2 * time.Second

// PermitRequest asks whether an attempt of a step with a limit on its rate may begin.
type PermitRequest struct {
	Run  string `json:"run"`
	Step string `json:"step"`
}

// Permit is the answer: the attempt begins after Wait, or, where it is not Granted, is asked for again after Wait.
type Permit struct {
	Granted bool          `json:"granted"`
	Wait    time.Duration `json:"wait"` // nanoseconds
}

// Encode gives the bytes that travel.
func (r PermitRequest) Encode() []byte {
	data, _ := json.Marshal(r) // strings always encode
	return data
}

// Encode gives the bytes that travel.
func (p Permit) Encode() []byte {
	data, _ := json.Marshal(p) // numbers always encode
	return data
}

// DecodePermitRequest reads what Encode wrote.
func DecodePermitRequest(data []byte) (r PermitRequest, err error) {
	return r, json.Unmarshal(data, &r)
}

// DecodePermit reads what Encode wrote.
func DecodePermit(data []byte) (p Permit, err error) { return p, json.Unmarshal(data, &p) }
