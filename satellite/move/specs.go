// Package move is the family of satellites that change where a file is: move-file, delete-file and its preset for S3.
//
// It owns their descriptions. Finding and writing files is the family beside it, satellite/files.
package move

import (
	"embed"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

//go:embed spec/*.json
var specFiles embed.FS

// Specs describes the satellites of this family.
func Specs() []*satellite.Spec {
	move := describe("move-file", "Move a file to another place",
		"Copies a file to another bucket, folder or store, makes sure that the copy is whole, and deletes the original. An attempt "+
			"that finds the original gone and the copy in place has nothing to do. Source is also written origin.")
	move.GivesFiles = true
	move.Timeout = time.Hour // a file of many gigabytes goes from store to store through the node
	move.BundleHint = 4

	remove := describe("delete-file", "Delete a file",
		"Deletes one file, named by bucket and file-path or by a URI in file-path. A file that is not there is success, "+
			"with deleted: false.")
	removeS3 := describe("delete-file-from-s3", "Delete a file from an S3 bucket",
		"The same as exospherehost/delete-file with provider aws-s3. An object that is not there is success.")
	return []*satellite.Spec{move, remove, removeS3}
}

func describe(name, title, description string) *satellite.Spec {
	set := schema.MustRead(specFiles, "spec/"+name+".json")
	return &satellite.Spec{
		Name:         "exospherehost/" + name,
		Kind:         "exosphere",
		Title:        title,
		Description:  description,
		Config:       set.Config,
		Output:       set.Output,
		SecretFields: []string{"config.secrets"},
		EmptyInput:   true,
		Pool:         orbit.CorePool,
		Timeout:      time.Minute,
		BundleHint:   32, // one small request to the store each
	}
}
