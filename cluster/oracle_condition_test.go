package cluster_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// number is the field pages of every object: the sum of the ordinals in its lineage.
func number(l orbit.Lineage) int {
	sum := 0
	for _, ordinal := range strings.Split(string(l), ".") {
		n, err := strconv.Atoi(ordinal)
		if err != nil {
			panic(err)
		}
		sum += n
	}
	return sum
}

// conditionForms are the conditions that the oracle can read.
var conditionForms = struct{ object, length, contains, failed *regexp.Regexp }{
	regexp.MustCompile(`^satellites\.(\w+)\.output\.pages > (\d+)$`),
	regexp.MustCompile(`^length\(satellites\.(\w+)\.output\) > (\d+)$`),
	regexp.MustCompile(`^contains\(satellites\.(\w+)\.output\.pages, (\d+)\)$`),
	regexp.MustCompile(`^failure\.satellite == '(\w+)'$`),
}

// holds tells whether the condition of a step is true for an item; without one it is.
func (r *reading) holds(s *cluster.Step, l orbit.Lineage) bool {
	return s.If == "" || r.says(s, l, s.If)
}

func (r *reading) says(s *cluster.Step, l orbit.Lineage, condition string) bool {
	if inner, ok := strings.CutPrefix(condition, "!("); ok {
		return !r.says(s, l, strings.TrimSuffix(inner, ")"))
	}
	read := func(form *regexp.Regexp) (satellite string, n int, ok bool) {
		parts := form.FindStringSubmatch(condition)
		if parts == nil {
			return "", 0, false
		}
		if len(parts) > 2 {
			n, _ = strconv.Atoi(parts[2])
		}
		return parts[1], n, true
	}
	if satellite, n, ok := read(conditionForms.object); ok {
		return number(r.object(satellite, l)) > n
	}
	if satellite, n, ok := read(conditionForms.length); ok {
		return len(r.list(s, satellite, l)) > n
	}
	if satellite, n, ok := read(conditionForms.contains); ok {
		return slices.ContainsFunc(r.list(s, satellite, l), func(o orbit.Lineage) bool { return number(o) == n })
	}
	if satellite, _, ok := read(conditionForms.failed); ok {
		return r.failed == satellite
	}
	if condition != "true" && condition != "false" {
		panic("the oracle cannot read " + condition)
	}
	return condition == "true"
}

// object is the one of a step's that is in the lineage of an item.
func (r *reading) object(step string, l orbit.Lineage) orbit.Lineage {
	for _, o := range r.objects(step) {
		if l == o || strings.HasPrefix(string(l), string(o)+".") {
			return o
		}
	}
	panic(fmt.Sprintf("no object of %s is in the lineage %s", step, l))
}

// list gives the objects of a step that a join lies before: all below its scope object. The join is the step that reads them,
// or in its lineage.
func (r *reading) list(s *cluster.Step, of string, l orbit.Lineage) []orbit.Lineage {
	for {
		above := ""
		switch {
		case s.Join == nil:
			above = s.Parents[0]
		case s.Join.Scope != "run":
			above = s.Join.Scope
		}
		if s.Join != nil && descends(r.plan, s.Identifier, of) {
			if above == "" {
				return r.objects(of)
			}
			if descends(r.plan, of, above) {
				scopeObject := r.object(above, l)
				return slices.DeleteFunc(r.objects(of), func(o orbit.Lineage) bool { return !strings.HasPrefix(string(o), string(scopeObject)+".") })
			}
		}
		s, _ = r.plan.Step(above)
	}
}
