package cli

import (
	"os"
	"path/filepath"
)

// replace gives a file another text, at once: whoever reads it sees the old text or the new one, and where it cannot be
// written it stays as it is. Its mode is kept, and a symbolic link goes on to lead to it.
func replace(name string, text []byte) error {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return failf("%s cannot be written: %s", name, cause(err))
	}
	if err := replaceFile(path, text); err != nil {
		return failf("%s cannot be written, and stays as it is: %s", name, cause(err))
	}
	return nil
}

func replaceFile(path string, text []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = f.Sync() // a name must not lead to an empty file after a loss of power
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
