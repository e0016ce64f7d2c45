package cluster

import (
	"fmt"
	"time"
)

// The limits of a cluster file. The aim is that compiling takes at most 200 ms and 64 MiB, whatever the file holds, apart
// from what Options.Check takes; hostile_test.go measures the memory, and limits_test.go goes one past each of them.
const (
	maxSize        = 256 << 10 // bytes; `nats req orbit.api.apply` sends a file in one message, which NATS bounds at 1 MiB
	maxCall        = 128 << 10 // bytes of a call beside its input; as a plan it is up to six times as long, and a message has 1 MiB at most
	maxNodes       = 20_000    // keys and values; each is a node of the tree that YAML makes
	maxDepth       = 64        // levels; far deeper than any config, and reading them is recursive
	maxExpressions = 5_000     // of all texts; 25 for each satellite of the longest list
	maxExpression  = 8 << 10   // bytes of one; a longer one is a program, which jq is for, and reading it is recursive
	maxNesting     = 40        // parentheses, functions and ! within each other; reading them is recursive
	maxArguments   = 20        // of format, the function that takes most
	maxCompared    = 5_000     // names that wrong ones are compared with for "did you mean"; it is what takes longest

	maxSteps       = 200       // of each list; what a run keeps for each step is held in memory by its leader
	maxTriggers    = 100       // of a cluster; each is a schedule or a subscription that a gateway keeps
	maxIdentifier  = 63        // characters; identifiers are tokens of NATS subjects, and fit a DNS label
	maxSecretName  = 128       // characters; longer than any name of a variable that people write
	maxRetries     = 100       // more of them only hide a mistake
	maxFactor      = 100       // of waits; 100 times longer each time is past any max-delay at the third
	maxCPU         = 4096      // cores of one machine; larger ones are not built
	maxConcurrency = 1_000_000 // items of one step at once; more than a mesh has slots
	maxRateDigits  = 9         // of the count of a rate: a thousand million a second is no limit

	minSLA = time.Minute     // the file format says so
	maxSLA = 168 * time.Hour // a week, likewise
)

// countExpression counts the expressions of the file. It is false past the limit, which is told once.
func (c *compiler) countExpression(p Pos) bool {
	c.expressionsSeen++
	if c.expressionsSeen == maxExpressions+1 {
		c.error(p, codeTooMuch, "split the cluster, or build long texts in a jq step", "the file holds more than %d expressions", maxExpressions)
	}
	return c.expressionsSeen <= maxExpressions
}

// tooLong reports an expression that is closed, but past the limit.
func (c *compiler) tooLong(p Pos) {
	c.error(p, codeTooMuch, "build the value in a jq step", "the expression is longer than %s", kib(maxExpression))
}

func kib(bytes int) string { return fmt.Sprintf("%d KiB", bytes>>10) }

// nearest is nearest as long as the file has not been compared too much already.
func (c *compiler) nearest(name string, known []string) string {
	if c.compared += len(known); c.compared > maxCompared {
		return ""
	}
	return nearest(name, known)
}

// didYouMean is didYouMean in the same way.
func (c *compiler) didYouMean(name string, known []string) string {
	if n := c.nearest(name, known); n != "" {
		return "did you mean " + n + "?"
	}
	return listKnown(known)
}
