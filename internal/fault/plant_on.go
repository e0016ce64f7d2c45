//go:build planted

package fault

import "os"

// Planted tells whether the named bug is planted: ORBIT_PLANT names it.
func Planted(bug string) bool { return os.Getenv("ORBIT_PLANT") == bug }
