package logs

import "time"

// SetLimit shortens what an exchange may take.
func (f *Forwarder) SetLimit(d time.Duration) { f.client.Limit = d }
