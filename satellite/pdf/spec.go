package pdf

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// doclingSpec describes parse-with-docling.
func doclingSpec() *satellite.Spec {
	s := newSpec(formatJSON)
	s.Name = "exospherehost/parse-with-docling"
	s.Title = "Turn a document into JSON, Markdown or text"
	s.Example = `uses: satellite/exospherehost/parse-with-docling
config:
  output-format: text
  language: de
`
	return s
}

// presetSpec describes parse-pdf-with-docling, which is the same with another default.
func presetSpec() *satellite.Spec {
	s := newSpec("markdown-string")
	s.Name = "exospherehost/parse-pdf-with-docling"
	s.Title = "Turn a PDF into Markdown"
	s.Example = `uses: satellite/exospherehost/parse-pdf-with-docling
config:
  file-path: ${{ satellites.get-files.output.file-uri }}
`
	return s
}

func newSpec(format string) *satellite.Spec {
	return &satellite.Spec{
		Kind:         "exosphere",
		Description:  description,
		Config:       json.RawMessage(strings.Replace(configSchema, "$FORMAT", format, 1)),
		Input:        json.RawMessage(inputSchema),
		Output:       json.RawMessage(outputSchema),
		PrimaryText:  "markdown",
		SecretFields: []string{"config.secrets"},
		ReadsFiles:   true,
		Pool:         orbit.CorePool,
		Timeout:      10 * time.Minute,
		BundleHint:   1, // a document may take minutes
		Failures: []orbit.SatelliteFailure{
			{Code: string(orbit.CodeInvalidInput), When: "the file is damaged, encrypted or no PDF, or no file is named"},
			{Code: string(orbit.CodeNotFound), When: "the file is not there"},
			{Code: string(orbit.CodeDenied), When: "the secrets are missing, or may not read the file"},
			{Code: string(orbit.CodeTooLarge), When: "the file, or what is read of it, is past the node's limits"},
			{Code: string(orbit.CodeUnavailable), Retried: true, When: "the store of the file, or docling-serve, is down or cannot be reached"},
			{Code: string(orbit.CodeTimeout), Retried: true, When: "the document takes longer than its time limit"},
		},
	}
}

// defaultFormat is the output-format of a step that names none.
func defaultFormat(s *satellite.Spec) string {
	if strings.HasSuffix(s.Name, "/parse-with-docling") {
		return formatJSON
	}
	return formatMarkdown
}

const description = `Reads one document and returns one object with its text in reading order and its number of pages.

The document is the step's file-path; without one, the file-uri (or file-path) of the incoming object, as get-files
returns it. A file in a bucket or on a server is opened with the step's own secrets, else with those of the step that found it.

A PDF is read inside the node. Where the node names a docling-serve, that service reads it instead, and with it also
Word, PowerPoint, HTML and image files, scanned pages and pictures.

A file that is damaged, encrypted, no PDF or larger than the node's limits fails at once, with a sentence that names it.`

const configSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "file-path": {
      "type": "string",
      "minLength": 1,
      "description": "The document: an absolute path, or a URI: file:///…, s3://bucket/key, gs://bucket/key, az://container/blob, sftp://host/path or ftp://host/path. Default: file-uri of the incoming object, else its file-path."
    },
    "language": {
      "type": "string",
      "default": "en",
      "description": "Language of scanned pages, for docling's character recognition. Text that is in the file needs none."
    },
    "output-format": {
      "enum": ["json", "markdown", "markdown-string", "text"],
      "default": "$FORMAT",
      "description": "json: field document. markdown and markdown-string: field markdown. text: field text."
    },
    "extract-images": {
      "type": "boolean",
      "default": false,
      "description": "Embed the document's pictures. Only where the node names a docling-serve; elsewhere it is an error."
    },
    "secrets": {
      "type": "object",
      "additionalProperties": {"type": "string"},
      "description": "Credentials to open the file with, such as AWS_ACCESS_KEY and AWS_SECRET_KEY. Default: those of the step that found the file."
    }
  }
}`

const inputSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": ["object", "null"],
  "description": "The file, as get-files returns it. Not needed where the config has a file-path.",
  "properties": {
    "file-uri": {"type": "string", "description": "file:///…, s3://bucket/key and so on"},
    "file-path": {"type": "string", "description": "Key in the bucket, or an absolute path; opened only where there is no file-uri."},
    "file-name": {"type": "string", "description": "Last part of the path, with extension."}
  }
}`

const outputSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["pages", "file-path", "file-name"],
  "properties": {
    "markdown": {"type": "string", "description": "With output-format markdown or markdown-string: the text, with headings and paragraphs."},
    "text": {"type": "string", "description": "With output-format text: the text, line by line, an empty line between pages."},
    "document": {
      "type": "object",
      "description": "With output-format json. Read in the node: pages and metadata, as below. Read by docling-serve: its DoclingDocument.",
      "properties": {
        "pages": {
          "type": ["array", "object"],
          "items": {
            "type": "object",
            "properties": {
              "number": {"type": "integer", "description": "From 1."},
              "width": {"type": "number", "description": "In points, 72 to the inch."},
              "height": {"type": "number", "description": "In points."},
              "text": {"type": "string"}
            }
          }
        },
        "metadata": {
          "type": "object",
          "description": "What the file says of itself: title, author, subject, keywords, creator, producer, created, modified; only what it says.",
          "additionalProperties": {"type": "string"}
        }
      }
    },
    "pages": {"type": "integer", "minimum": 0, "description": "Number of pages."},
    "file-path": {"type": "string", "description": "Key in the bucket, or the absolute path."},
    "file-name": {"type": "string", "description": "Last part of the path, with extension."}
  }
}`
