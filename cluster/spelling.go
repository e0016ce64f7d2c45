package cluster

import (
	"regexp"
	"strings"
)

// other lets a key be written with _ in place of some or all of its hyphens. The spelling with hyphens alone is the one
// that editors suggest.
func other(r rule, name string, value any) {
	patterns, ok := r["patternProperties"].(rule)
	if !ok {
		patterns = rule{}
		r["patternProperties"] = patterns
	}
	patterns["^"+underscored(strings.Split(name, "-"))+"$"] = value
}

// underscored matches the parts joined by - and _, at least one of them _.
func underscored(parts []string) string {
	first, rest := regexp.QuoteMeta(parts[0]), parts[1:]
	if len(rest) == 1 {
		return first + "_" + regexp.QuoteMeta(rest[0])
	}
	loose := ""
	for _, p := range rest {
		loose += "[-_]" + regexp.QuoteMeta(p)
	}
	return first + "(_" + loose[len("[-_]"):] + "|-" + underscored(rest) + ")"
}

// spelled lists all spellings of a key that has hyphens.
func spelled(name string) []string {
	first, rest, ok := strings.Cut(name, "-")
	if !ok {
		return []string{name}
	}
	var out []string
	for _, joint := range []string{"-", "_"} {
		for _, s := range spelled(rest) {
			out = append(out, first+joint+s)
		}
	}
	return out
}

// mostHyphens bounds the spellings of a key that are listed: each hyphen doubles their number.
const mostHyphens = 6

// anySpelling wants a key in one of its spellings. Where they are too many to list, it wants nothing.
func anySpelling(name string) rule {
	if strings.Count(name, "-") > mostHyphens {
		return rule{}
	}
	var some []any
	for _, s := range spelled(name) {
		some = append(some, rule{"required": list(s)})
	}
	if len(some) == 1 {
		return some[0].(rule)
	}
	return rule{"anyOf": some}
}

// require adds a key that must be there; loose tells whether other spellings count.
func require(r rule, name string, loose bool) {
	if !loose || !strings.Contains(name, "-") {
		required, _ := r["required"].([]any)
		if !has(required, name) {
			r["required"] = append(required, name)
		}
		return
	}
	also(r, anySpelling(name))
}

// also adds a rule about the same value.
func also(r rule, more rule) {
	if some, ok := more["anyOf"]; ok && len(more) == 1 && r["anyOf"] == nil {
		r["anyOf"] = some
		return
	}
	all, _ := r["allOf"].([]any)
	r["allOf"] = append(all, more)
}
