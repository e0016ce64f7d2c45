package alert

import "time"

// SetLimit shortens what an exchange may take.
func (s *Sender) SetLimit(d time.Duration) { s.client.Limit = d }
