package files

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/exospherehost/orbit"
)

// maxKey is the longest name of an object, in bytes, that S3 and Google take, and about what Azure does.
const maxKey = 1024

// maxServerPath is PATH_MAX of the systems that servers run on.
const maxServerPath = 4096

// The rules of the services for names of buckets (cloud.google.com/storage/docs/buckets) and containers
// (learn.microsoft.com/rest/api/storageservices, Naming and Referencing Containers).
var (
	gcsBucket      = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	azureContainer = regexp.MustCompile(`^(\$root|\$web|[a-z0-9](-?[a-z0-9]){2,62})$`)
)

// check finds names that no store has, which a client would report without saying whose fault they are.
func (p place) check() error {
	switch p.provider {
	case providerS3:
		if err := s3utils.CheckValidBucketName(p.bucket); err != nil {
			return orbit.Permanent(orbit.CodeInvalidConfig, "%q cannot be the name of a bucket; check bucket, or the part after s3://", p.bucket)
		}
	case providerGCS:
		if !gcsBucket.MatchString(p.bucket) {
			return orbit.Permanent(orbit.CodeInvalidConfig, "%q cannot be the name of a bucket; check bucket, or the part after gs://", p.bucket)
		}
	case providerAzure:
		if !azureContainer.MatchString(p.bucket) {
			return orbit.Permanent(orbit.CodeInvalidConfig, "%q cannot be the name of a container; check bucket, or the part after az://", p.bucket)
		}
	case providerSFTP, providerFTP:
		if len(p.path) > maxServerPath || strings.ContainsAny(p.path, "\r\n\x00") || !utf8.ValidString(p.path) {
			return orbit.Permanent(orbit.CodeInvalidInput, "a path of %s is longer than %d bytes, or is not one line of UTF-8; check the path", p.bucket, maxServerPath)
		}
		return nil
	default:
		return nil
	}
	if len(p.path) > maxKey || !utf8.ValidString(p.path) {
		return orbit.Permanent(orbit.CodeInvalidInput, "a key of %s is longer than %d bytes or no UTF-8; check the path", p.where(), maxKey)
	}
	return nil
}
