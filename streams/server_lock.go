package streams

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockDir takes the data folder for this process: two servers on one folder would destroy it. The lock goes with the
// process, however it ends.
func lockDir(dir string) (*os.File, error) {
	name := filepath.Join(dir, "LOCK")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written: %w; choose another with --data", dir, errors.Unwrap(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := os.ReadFile(name)
		_ = f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by another process (pid %s); stop it or choose another with --data", dir, strings.TrimSpace(string(who)))
	}
	_ = f.Truncate(0)
	if _, err := fmt.Fprintln(f, os.Getpid()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the data folder %s cannot be written: %w; free some space or choose another with --data", dir, errors.Unwrap(err))
	}
	return f, nil
}
