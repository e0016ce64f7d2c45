package main

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// clusterFiles are the clusters of the load: every file of the folder is applied and run, with the same payload
// {n, pad, hook, salt}. One that the gateway refuses is left out, and the report says so.
//
//go:embed clusters/*.yml
var clusterFiles embed.FS

// clusterFile is one of them.
type clusterFile struct {
	name       string // of the file
	identifier string
	text       []byte
	secrets    map[string]string // values that come with each run
}

// fromFile is the value of the secret that comes with a run, in the file that the load is given.
const fromFile = "CANARY-file-0815"

func loadFiles() ([]clusterFile, error) {
	names, err := fs.Glob(clusterFiles, "clusters/*.yml")
	if err != nil {
		return nil, err
	}
	var all []clusterFile
	for _, name := range names {
		text, err := clusterFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f := clusterFile{name: strings.TrimPrefix(name, "clusters/"), text: text}
		_, rest, ok := strings.Cut(string(text), "identifier: ")
		if !ok {
			return nil, fmt.Errorf("the file %s has no identifier", name)
		}
		f.identifier, _, _ = strings.Cut(rest, "\n")
		if strings.Contains(string(text), "{env: FROM_FILE}") {
			f.secrets = map[string]string{"FROM_FILE": fromFile}
		}
		all = append(all, f)
	}
	return all, nil
}
