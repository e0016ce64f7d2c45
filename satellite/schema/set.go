package schema

import (
	"encoding/json"
	"io/fs"
)

// Set holds the three schemas of one satellite, as a file beside its code has them: {"config": …, "input": …,
// "output": …}. A schema that is left out is empty.
type Set struct {
	Config json.RawMessage `json:"config"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// MustRead reads a set from a file that is part of the program; it panics where the file is missing or is no JSON.
func MustRead(files fs.FS, name string) Set {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	var set Set
	if err := json.Unmarshal(text, &set); err != nil {
		panic(name + ": " + err.Error())
	}
	return set
}
