// Package configs holds the configuration that is in force where no other is given, as files that a person can read and
// copy. It only embeds them; who needs one parses it.
package configs

import _ "embed"

// Classes is classes.yml: the hardware classes.
//
//go:embed classes.yml
var Classes []byte
