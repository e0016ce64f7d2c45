package alert

import "time"

// SetLimit shortens what an exchange may take.
func (s *Sender) SetLimit(d time.Duration) { s.client.Limit = d }

// Addresses are those of PagerDuty's two APIs.
func (s *Sender) Addresses(config map[string]any) string {
	p := s.pagerDuty(config)
	return p.events + " " + p.api
}
