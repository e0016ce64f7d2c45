package placement

import (
	"math"
	"time"

	"github.com/exospherehost/orbit"
)

// ServerState is how far a model's server is that a node starts and stops.
type ServerState string

// The states of a server.
const (
	Stopped  ServerState = "stopped"
	Starting ServerState = "starting"
	Ready    ServerState = "ready"
	Stopping ServerState = "stopping"
)

// Server is a model's server that a node may start, and its work.
type Server struct {
	Name    string
	Memory  orbit.Bytes // on each of its devices; 0: it needs none
	Devices int         // so many; 0: it needs none
	Took    orbit.Bytes // of each device, as measured when it became ready; 0: not known, then Memory
	Start   time.Duration

	State ServerState
	Since time.Time // when it came into that state
	On    []int     // the devices it has, by index; none where it is stopped
	Claim Claim     // as the last decision says
	Retry time.Time // it is not started before: the last start failed
	Fails int       // starts that failed, one after the other

	Load
	Waits time.Time // since when some of it waits
	Idle  time.Time // since when there has been none
}

// Load is the work of a server.
type Load struct {
	Waiting  int       // bundles in its queues
	InHand   int       // bundles that this node has
	Deadline time.Time // the earliest of what waits or is in hand
	Rate     float64   // of bundles that it does in a second; 0: not measured
}

// Claim is the devices that are being made free for a server. It is given up where they have not enough by Until.
type Claim struct {
	On    []int
	Until time.Time
}

// Device is a GPU as it is now.
type Device struct{ Memory, Free orbit.Bytes }

// laxity is how long the work of a server may be left alone and still be done by its deadline; what is stopped must be started
// before.
func (v *Server) laxity(now time.Time) time.Duration {
	l := Waiting{Deadline: v.Deadline, Behind: v.Waiting + v.InHand, Rate: v.Rate}.Laxity(now)
	if v.State == Stopped && l > math.MinInt64+v.Start {
		l -= v.Start
	}
	return l
}

func (v *Server) busy() bool { return v.Waiting > 0 || v.InHand > 0 }

// frees is what a device has more once the server is gone.
func (v *Server) frees() orbit.Bytes {
	if v.Took > 0 {
		return v.Took
	}
	return v.Memory
}
