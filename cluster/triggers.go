package cluster

import (
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // so that a time zone is known or not whatever the machine has

	"gopkg.in/yaml.v3"
)

var triggerTypes = []string{"api-call", "cron", "webhook", "event", "cluster"}

// What settings of triggers may say, the default first.
var (
	overlaps  = []string{"skip", "queue", "cancel", "allow"}
	catchUps  = []string{"latest", "none", "all"}
	endStates = []string{"succeeded", "partial", "failed", "cancelled", "ended"}
)

// readTriggers reads one trigger or a list of them.
func (c *compiler) readTriggers(v field) []TriggerSpec {
	nodes := []*yaml.Node{v.value}
	if v.value.Kind == yaml.SequenceNode {
		nodes = v.value.Content
		if len(nodes) == 0 {
			c.error(at(v.value), codeMissingKey, "write trigger: api-call", "trigger has no value")
		}
	}
	if len(nodes) > maxTriggers {
		c.error(at(nodes[maxTriggers]), codeCount, "one trigger of type event can take the place of many, with * or > in its subject",
			"the list has %d triggers; at most %d are allowed", len(nodes), maxTriggers)
		nodes = nodes[:maxTriggers]
	}
	var out []TriggerSpec
	for _, n := range nodes {
		if c.badNodes[n] {
			continue
		}
		if t, ok := c.readTrigger(n); ok {
			out = append(out, t)
		}
	}
	return out
}

func (c *compiler) readTrigger(n *yaml.Node) (t TriggerSpec, ok bool) {
	t.Pos = at(n)
	if n.Kind != yaml.MappingNode {
		w, ok := c.text(n, "trigger")
		if !ok {
			return t, false
		}
		switch t.Type = w.Text; t.Type {
		case "api-call", "webhook":
			return t, true
		case "cron", "event", "cluster":
			c.error(w.Pos, codeType, "write it like {"+t.Type+": …}", "the trigger %s needs a value", t.Type)
		default:
			c.error(w.Pos, codeValue, didYouMean(t.Type, triggerTypes), "there is no trigger %s", quoted(t.Type))
		}
		return t, false
	}
	f, _ := c.fields(n, t.Pos, "trigger", triggerKeys)
	for _, kind := range triggerTypes {
		v, given := f.given(kind)
		if !given {
			continue
		}
		if t.Type != "" {
			c.error(v.key, codeValue, "write a list of triggers", "a trigger is either %s or %s", t.Type, kind)
			return t, false
		}
		t.Type = kind
		t.Pos = v.key
	}
	if t.Type == "" {
		if len(f.names()) > 0 || len(n.Content) == 0 { // else its unknown key has been told
			c.error(t.Pos, codeMissingKey, "write api-call, or one of cron, webhook, event and cluster with its value", "the trigger does not say what starts a run")
		}
		return t, false
	}
	return t, c.readTriggerValue(f, &t)
}

// settings of the trigger types beside their value.
var triggerSettings = map[string][]string{"cron": {"timezone", "overlap", "catch-up"}, "webhook": {"secret"}, "event": {"filter"}, "cluster": {"on"}}

func (c *compiler) readTriggerValue(f *fields, t *TriggerSpec) bool {
	for _, key := range f.names() {
		if v, _ := f.given(key); key != t.Type && !contains(triggerSettings[t.Type], key) {
			c.error(v.key, codeUnknownKey, didYouMean(key, triggerSettings[t.Type]), "a trigger of type %s has no key %q", t.Type, key)
		}
	}
	value := func() (Word, bool) {
		v, ok := f.need(t.Type)
		if !ok {
			return Word{}, false
		}
		return c.text(v.value, "trigger."+t.Type)
	}
	switch t.Type {
	case "cron":
		t.Timezone, t.Overlap, t.CatchUp = "UTC", overlaps[0], catchUps[0]
		if v, ok := f.get("overlap"); ok {
			t.Overlap = c.oneOf(v.value, "overlap", overlaps)
		}
		if v, ok := f.get("catch-up"); ok {
			t.CatchUp = c.oneOf(v.value, "catch-up", catchUps)
		}
		if w, ok := f.text("timezone"); ok {
			t.Timezone = w.Text
			if _, err := time.LoadLocation(w.Text); err != nil || w.Text == "Local" || w.Text == "" {
				c.error(w.Pos, codeValue, "write it like UTC or Europe/Berlin", "the time zone %s is unknown", quoted(w.Text))
			}
		}
		w, ok := value()
		t.Cron = w.Text
		return ok && c.checkCron(w)
	case "event":
		w, ok := value()
		t.Subject = w.Text
		switch {
		case ok && !validSubject(w.Text):
			c.error(w.Pos, codeValue, subjectHint, "%s is no NATS subject", quoted(w.Text))
			return false
		case ok && reservedSubject.MatchString(w.Text):
			c.error(w.Pos, codeValue, subjectHint, "the subject %s takes in messages of Orbit or of the NATS server itself", quoted(w.Text))
			return false
		}
		if v, given := f.get("filter"); given {
			cond := c.readCondition(v)
			if cond == nil || !c.readsTriggerOnly(cond) {
				return false
			}
			t.Filter = cond.Source
		}
		return ok
	case "cluster":
		w, ok := value()
		t.Cluster = strings.TrimPrefix(w.Text, "cluster/")
		project, name, _ := strings.Cut(t.Cluster, "/")
		if ok && (!identifierPattern.MatchString(project) || !identifierPattern.MatchString(name)) {
			c.error(w.Pos, codeIdentifier, clusterHint, "%s is no identifier of a cluster", quoted(w.Text))
			return false
		}
		t.On = endStates[0]
		if v, ok := f.get("on"); ok {
			t.On = c.oneOf(v.value, "on", endStates)
		}
		return ok
	}
	if w, ok := f.text("secret"); ok {
		t.Secret, t.secretPos = w.Text, w.Pos
	}
	v, _ := f.given(t.Type)
	if v.value.Kind == yaml.ScalarNode && contains([]string{"false", "no", "off"}, strings.ToLower(v.value.Value)) {
		c.error(at(v.value), codeValue, "leave the trigger out, or write "+t.Type, "a trigger is not switched off by %s", v.value.Value)
		return false
	}
	return true
}

// readsTriggerOnly reports a filter that names anything else than the message: there is no run yet.
func (c *compiler) readsTriggerOnly(cond *Condition) bool {
	good := true
	cond.Expr.walk(func(e *Expr) {
		if p := e.Path; p != nil && good && (p.Root != "trigger" || len(p.Segments) == 0 || p.Segments[0].IsIndex || p.Segments[0].Name != "payload") {
			c.error(cond.Pos, codeRoot, "write it like trigger.payload.kind == 'invoice'", "a filter sees trigger.payload, the message, and nothing else")
			good = false
		}
	})
	return good
}

// triggerSecrets looks for the secrets that triggers name.
func (c *compiler) triggerSecrets(s *Spec) {
	for _, t := range s.Triggers {
		if t.Secret == "" {
			continue
		}
		c.used[t.Secret] = true
		if first, told := c.undeclared[t.Secret]; !c.declared[t.Secret] && !c.blindSecrets && (!told || t.secretPos.before(first)) {
			c.undeclared[t.Secret] = t.secretPos
		}
	}
}

var cronMacros = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}

// checkCron reports a cron expression that is none, or that never fires.
func (c *compiler) checkCron(w Word) bool {
	text := strings.TrimSpace(w.Text)
	switch {
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		c.error(w.Pos, codeCron, "write the zone into the key timezone beside cron", "a cron expression does not name its time zone")
		return false
	case strings.HasPrefix(text, "@") && !contains(cronMacros, text):
		c.error(w.Pos, codeCron, didYouMean(text, cronMacros), "%s is no cron expression", quoted(w.Text))
		return false
	case !strings.HasPrefix(text, "@") && len(strings.Fields(text)) != 5:
		c.error(w.Pos, codeCron, cronHint, "a cron expression has 5 fields, and %s has %d",
			quoted(w.Text), len(strings.Fields(text)))
		return false
	}
	schedule, err := parseCron(text)
	if err != nil {
		c.error(w.Pos, codeCron, cronHint, "%s is no cron expression: %v", quoted(w.Text), err)
		return false
	}
	// Every date that exists comes within eight years of 2096, the longest time without a February 29; five are looked at
	// from each of two years.
	for _, year := range []int{2023, 2027} {
		if !schedule.Next(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
			return true
		}
	}
	c.error(w.Pos, codeCronNever, "check the day and the month", "%s never fires: no date fits it", quoted(w.Text))
	return false
}

func validSubject(s string) bool {
	if s == "" || strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	tokens := strings.Split(s, ".")
	for i, t := range tokens {
		if t == "" || t == ">" && i < len(tokens)-1 || len(t) > 1 && strings.ContainsAny(t, "*>") {
			return false
		}
	}
	return true
}

// reservedSubject matches subjects that take in messages that are no user's.
var reservedSubject = regexp.MustCompile(`^(\*|>|orbit|\$.*|_INBOX.*)(\..*)?$`)

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
