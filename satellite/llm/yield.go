package llm

import "regexp"

// badSchema is how servers say that they know response_format, but cannot enforce this schema.
var badSchema = regexp.MustCompile(`(?i)invalid schema|grammar|guided|\bschemas?\b.{0,60}(?:not supported|unsupported|unimplemented)|(?:unsupported|unimplemented).{0,60}\bschema`)

// yield gives in where a refusal names a part of the request that can be left out or made smaller, and notes it for the
// requests to come. Only what the request had can be given up, so it ends.
func (m *Model) yield(q *question, r *request, no *refusal) bool {
	if !no.refusesInput() {
		return false
	}
	m.learned.mu.Lock()
	defer m.learned.mu.Unlock()
	l := &m.learned
	switch {
	case r.ResponseFormat != nil && m.endpoint.Schema == Auto && badSchema.MatchString(no.said):
		if l.noSchemas == nil || len(l.noSchemas) >= maxSchemas {
			l.noSchemas = map[string]bool{}
		}
		l.noSchemas[string(q.wanted.schema)] = true
		return true
	case r.ResponseFormat != nil && m.endpoint.Schema == Auto && (no.names("response_format") || no.names("json_schema")):
		l.noSchema = true
		return true
	case r.StreamOptions != nil && no.names("stream_options"):
		l.noStreamOptions = true
		return true
	case r.MaxTokens > 0 && no.names("max_tokens") && no.room == 0 && no.most == 0 && no.names("max_completion_tokens"):
		l.newLimit = true
		return true
	case no.most > 0 && no.most < r.limit():
		l.most = no.most
		return true
	case no.prompt > 0 && no.room > 0:
		l.context = no.room
		left := no.room - no.prompt
		if q.fitted || left < 1 || left >= r.limit() {
			return false
		}
		q.limit, q.fitted = left, true
		return true
	}
	return false
}
