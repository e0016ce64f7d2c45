package files

import (
	"bytes"
	"embed"
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// Satellites gives the satellites of this family. They open stores by opener, which they do not close.
func Satellites(opener *Opener) []satellite.Satellite {
	return []satellite.Satellite{
		&getFiles{spec: getFilesSpec(), opener: opener},
		&getFiles{spec: getFilesFromS3Spec(), opener: opener, provider: providerS3},
		&putFiles{spec: putFilesSpec(), opener: opener},
		&moveFile{spec: moveFileSpec(), opener: opener},
		&deleteFile{spec: deleteFileSpec(), opener: opener},
		&deleteFile{spec: deleteFileFromS3Spec(), opener: opener, provider: providerS3},
	}
}

func newSpec(name, title, description string) *satellite.Spec {
	s := readSchemas(name)
	return &satellite.Spec{
		Name:         "exospherehost/" + name,
		Kind:         "exosphere",
		Title:        title,
		Description:  description,
		Config:       s.Config,
		Input:        s.Input,
		Output:       s.Output,
		SecretFields: []string{"config.secrets"},
		EmptyInput:   s.Input == nil,
		Pool:         orbit.CorePool,
		Timeout:      time.Minute,
		BundleHint:   16, // one small request or two to the store each
		Failures:     failures,
	}
}

// failures are the same for all: they are those of the stores.
var failures = []orbit.SatelliteFailure{
	{Code: string(orbit.CodeNotFound), When: "the file, folder or bucket is not there"},
	{Code: string(orbit.CodeDenied), When: "credentials are missing, refused, or do not allow it; a server shows another host key"},
	{Code: string(orbit.CodeUnavailable), Retried: true, When: "the store cannot be reached, is overloaded, or breaks off"},
	{Code: string(orbit.CodeInvalidConfig), When: "the config does not say which place is meant, or names one that no store has"},
}

func getFilesSpec() *satellite.Spec {
	spec := newSpec("get-files", "Find files in a folder, a bucket or on a server",
		"Lists the files of a folder of the node (provider file), of a bucket (aws-s3, gcs, azure-blob) or of a server (sftp, ftp) and "+
			"returns one object for each, in the order of their paths. Nothing is read but the listing; the satellites below open the "+
			"files by file-uri, with the secrets given here. An empty folder is success and returns nothing.\n\n"+
			"A bucket is listed page by page, and each file is handed on as soon as its page is there. Of a folder of the node or of a "+
			"server all names are read before the first is handed on, for their order.")
	spec.GivesFiles = true
	spec.Timeout = time.Hour // a bucket of millions is listed a thousand keys a request
	spec.BundleHint = 1
	spec.Example = `uses: satellite/exospherehost/get-files
config:
  provider: sftp
  folder-path: sftp://files.example.com/reports
  recursive: true
  extension: pdf
  secrets:
    - SFTP_USER: ${{ secrets.SFTP_USER }}
    - SFTP_PASSWORD: ${{ secrets.SFTP_PASSWORD }}
    - SFTP_HOST_KEY: ${{ secrets.SFTP_HOST_KEY }}
`
	return spec
}

// getFilesFromS3Spec is get-files with the provider filled in.
func getFilesFromS3Spec() *satellite.Spec {
	spec := getFilesSpec()
	spec.Name = "exospherehost/get-files-from-s3"
	spec.Title = "Find files in an S3 bucket"
	spec.Description = "The same as exospherehost/get-files with provider aws-s3: lists the objects of a bucket and returns one object " +
		"for each, in the order of their keys. Any S3-compatible store will do: name it by AWS_ENDPOINT in secrets."
	spec.Config = withDefaultProvider(spec.Config, providerS3)
	spec.Example = `uses: satellite/exospherehost/get-files-from-s3
config:
  bucket: reports
  prefix: sec
  recursive: true
  extension: pdf
  secrets:
    - AWS_ACCESS_KEY: ${{ secrets.AWS_ACCESS_KEY }}
    - AWS_SECRET_KEY: ${{ secrets.AWS_SECRET_KEY }}
`
	return spec
}

func putFilesSpec() *satellite.Spec {
	spec := newSpec("put-files", "Write an object to a file",
		"Writes the incoming object, or input.content, to a file of a folder on the node, of a bucket or of a server, and returns where "+
			"it is. The folder is made when it is not there. The file is written whole or not at all, and the same item writes the same "+
			"file again.")
	spec.GivesFiles = true
	spec.Example = `uses: satellite/exospherehost/put-files
config:
  folder-path: gs://reports/json
  file-name: quarter.json
  secrets:
    - GOOGLE_APPLICATION_CREDENTIALS_JSON: ${{ secrets.GOOGLE_KEY }}
`
	return spec
}

func moveFileSpec() *satellite.Spec {
	spec := newSpec("move-file", "Move a file to another place",
		"Copies a file to another bucket, folder or store, makes sure that the copy is whole, and deletes the original. An attempt "+
			"that finds the original gone and the copy in place has nothing to do. Within one store that is opened with one set of "+
			"credentials, the store copies, or renames, by itself. Source is also written origin.\n\n"+
			"A file that is at the destination is replaced. An original that has changed while it was copied is not deleted: it is "+
			"moved again.")
	spec.GivesFiles = true
	spec.Timeout = time.Hour // a file of many gigabytes goes from store to store through the node
	spec.BundleHint = 4
	spec.Example = `uses: satellite/exospherehost/move-file
config:
  source-provider: aws-s3
  source-bucket: reports
  source-file-path: in/quarter.pdf
  destination-provider: aws-s3
  destination-bucket: reports-failed
  destination-file-path: quarter.pdf
  secrets:
    - SOURCE_AWS_ACCESS_KEY: ${{ secrets.AWS_ACCESS_KEY }}
    - SOURCE_AWS_SECRET_KEY: ${{ secrets.AWS_SECRET_KEY }}
    - DESTINATION_AWS_ACCESS_KEY: ${{ secrets.AWS_ACCESS_KEY }}
    - DESTINATION_AWS_SECRET_KEY: ${{ secrets.AWS_SECRET_KEY }}
`
	return spec
}

func deleteFileSpec() *satellite.Spec {
	spec := newSpec("delete-file", "Delete a file",
		"Deletes one file, named by bucket and file-path or by a URI in file-path. A file that is not there is success, "+
			"with deleted: false.")
	spec.BundleHint = 32
	spec.Example = `uses: satellite/exospherehost/delete-file
config:
  file-path: az://reports/in/quarter.pdf
  secrets:
    - AZURE_STORAGE_ACCOUNT: ${{ secrets.AZURE_STORAGE_ACCOUNT }}
    - AZURE_STORAGE_KEY: ${{ secrets.AZURE_STORAGE_KEY }}
`
	return spec
}

func deleteFileFromS3Spec() *satellite.Spec {
	spec := newSpec("delete-file-from-s3", "Delete a file from an S3 bucket",
		"The same as exospherehost/delete-file with provider aws-s3. An object that is not there is success.")
	spec.BundleHint = 32
	spec.Example = `uses: satellite/exospherehost/delete-file-from-s3
config:
  bucket: reports
  file-path: in/quarter.pdf
  secrets:
    - AWS_ACCESS_KEY: ${{ secrets.AWS_ACCESS_KEY }}
    - AWS_SECRET_KEY: ${{ secrets.AWS_SECRET_KEY }}
`
	return spec
}

//go:embed spec/*.json
var specFiles embed.FS

// schemas is what a file of spec/ holds.
type schemas struct {
	Config json.RawMessage `json:"config"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// secretNames fills in $SECRETS in the descriptions: what each provider takes.
const secretNames = "aws-s3: AWS_ACCESS_KEY and AWS_SECRET_KEY, optional AWS_SESSION_TOKEN, AWS_REGION, and AWS_ENDPOINT, the URL of an S3-compatible store. " +
	"gcs: GOOGLE_APPLICATION_CREDENTIALS_JSON, the text of a service account's key, or the HMAC keys GCS_ACCESS_KEY and GCS_SECRET_KEY. " +
	"azure-blob: AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN. " +
	"sftp: SFTP_HOST, SFTP_PORT (22), SFTP_USER, SFTP_PASSWORD or SFTP_PRIVATE_KEY (with SFTP_PASSPHRASE), and SFTP_HOST_KEY, " +
	"the line that ssh-keyscan prints for the server, or its SHA256: fingerprint; SFTP_INSECURE_HOST_KEY: 'true' connects without it. " +
	"ftp: FTP_HOST, FTP_PORT (21), FTP_USER (anonymous), FTP_PASSWORD, FTP_TLS ('true' for FTPS on the same port, implicit for a port of its own), " +
	"FTP_TLS_CA, the certificate to trust. A bucket without credentials is read anonymously."

func readSchemas(name string) schemas {
	text, err := specFiles.ReadFile("spec/" + name + ".json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	var s schemas
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("$SECRETS"), []byte(secretNames)), &s); err != nil {
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
