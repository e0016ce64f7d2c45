//go:build tools

// Package tools pins the nats command line that the README's section on debugging uses, in a module of its own so that
// Orbit does not depend on it.
package tools

import _ "github.com/nats-io/natscli/nats"
