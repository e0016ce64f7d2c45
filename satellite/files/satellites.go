package files

import (
	"embed"
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// Satellites gives the satellites of this family. They open S3 stores by opener, which they do not close.
func Satellites(opener *Opener) []satellite.Satellite {
	return []satellite.Satellite{
		&getFiles{spec: getFilesSpec(), opener: opener},
		&getFiles{spec: getFilesFromS3Spec(), opener: opener, provider: providerS3},
		&putFiles{spec: putFilesSpec()},
	}
}

func getFilesSpec() *satellite.Spec {
	s := readSchemas("get-files")
	return &satellite.Spec{
		Name:  "exospherehost/get-files",
		Kind:  "exosphere",
		Title: "Find files in a folder or an S3 bucket",
		Description: "Lists the files of a folder (provider file) or of a bucket (provider aws-s3) and returns one object for each, " +
			"in the order of their paths. Nothing is read but the listing; the satellites below open the files by file-uri, " +
			"with the secrets given here. An empty folder is success and returns nothing.",
		Config:       s.Config,
		Output:       s.Output,
		SecretFields: []string{"config.secrets"},
		GivesFiles:   true,
		EmptyInput:   true,
		Pool:         orbit.CorePool,
		Timeout:      time.Hour, // a bucket of millions is listed a thousand keys a request
		BundleHint:   1,
		Available:    true,
	}
}

// getFilesFromS3Spec is get-files with the provider filled in.
func getFilesFromS3Spec() *satellite.Spec {
	spec := getFilesSpec()
	spec.Name = "exospherehost/get-files-from-s3"
	spec.Title = "Find files in an S3 bucket"
	spec.Description = "The same as exospherehost/get-files with provider aws-s3: lists the objects of a bucket and returns one object " +
		"for each, in the order of their keys. Any S3-compatible store will do: name it by AWS_ENDPOINT in secrets."
	spec.Config = withDefaultProvider(spec.Config, providerS3)
	return spec
}

func putFilesSpec() *satellite.Spec {
	s := readSchemas("put-files")
	return &satellite.Spec{
		Name:  "exospherehost/put-files",
		Kind:  "exosphere",
		Title: "Write an object to a file",
		Description: "Writes the incoming object, or input.content, to a file of a folder on the node and returns where it is. The folder is " +
			"made when it is not there. The file is written whole or not at all, and the same item writes the same file again.",
		Config:       s.Config,
		Input:        s.Input,
		Output:       s.Output,
		SecretFields: []string{"config.secrets"},
		GivesFiles:   true,
		Pool:         orbit.CorePool,
		Timeout:      time.Minute,
		BundleHint:   16,
		Available:    true,
	}
}

//go:embed spec/*.json
var specFiles embed.FS

// schemas is what a file of spec/ holds.
type schemas struct {
	Config json.RawMessage `json:"config"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

func readSchemas(name string) schemas {
	text, err := specFiles.ReadFile("spec/" + name + ".json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	var s schemas
	if err := json.Unmarshal(text, &s); err != nil {
		panic("spec/" + name + ".json: " + err.Error())
	}
	return s
}

// withDefaultProvider gives the config schema with a provider that may be left out.
func withDefaultProvider(config json.RawMessage, provider string) json.RawMessage {
	var schema map[string]any
	if err := json.Unmarshal(config, &schema); err != nil {
		panic(err) // readSchemas has read it
	}
	delete(schema, "required")
	schema["properties"].(map[string]any)["provider"].(map[string]any)["default"] = provider
	text, err := json.Marshal(schema)
	if err != nil {
		panic(err)
	}
	return text
}
