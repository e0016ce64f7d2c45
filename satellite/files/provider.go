package files

import (
	"strings"

	"github.com/exospherehost/orbit"
)

// The providers, as configs name them; s3 is another name of aws-s3.
const (
	providerFile  = "file"
	providerS3    = "aws-s3"
	providerGCS   = "gcs"
	providerAzure = "azure-blob"
	providerSFTP  = "sftp"
	providerFTP   = "ftp"
)

// naming tells how the files of a provider are named.
type naming int

const (
	onNode   naming = iota // by a path of the node
	inBucket               // by a bucket and a key
	onServer               // by a host and an absolute path
)

// provider is what all stores of one kind have in common.
type provider struct {
	name, scheme string
	naming       naming
	form         string // of a URI, for sentences
}

var providers = []provider{
	{providerFile, "file", onNode, "file:///folder/name"},
	{providerS3, "s3", inBucket, "s3://bucket/key"},
	{providerGCS, "gs", inBucket, "gs://bucket/key"},
	{providerAzure, "az", inBucket, "az://container/blob"},
	{providerSFTP, "sftp", onServer, "sftp://host/folder/name"},
	{providerFTP, "ftp", onServer, "ftp://host/folder/name"},
}

const providerNames = "file, aws-s3, gcs, azure-blob, sftp or ftp"

// providerNamed finds a provider by the name that a config gives it.
func providerNamed(field, name string) (provider, error) {
	if name == "s3" {
		name = providerS3
	}
	for _, p := range providers {
		if p.name == name {
			return p, nil
		}
	}
	if name == "" {
		return provider{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s is missing; use %s", field, providerNames)
	}
	return provider{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s %s is not known; use %s", field, name, providerNames)
}

// providerAt finds a provider by the scheme of a URI.
func providerAt(uri string) (provider, bool) {
	scheme, _, isURI := strings.Cut(uri, "://")
	for _, p := range providers {
		if isURI && p.scheme == scheme {
			return p, true
		}
	}
	return provider{}, false
}

// of gives the provider of a place.
func (p place) of() provider {
	for _, known := range providers {
		if known.name == p.provider {
			return known
		}
	}
	return providers[0]
}
