//go:build tools

// Package tools pins the S3 server that the tests of stores run against, in a module of its own so that Orbit does not
// depend on it.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
