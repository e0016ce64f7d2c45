package files

import (
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/exospherehost/orbit"
)

// amazon is where a bucket is when nobody says otherwise.
const amazon = "https://s3.amazonaws.com"

// s3Account opens a store that speaks the protocol of S3.
type s3Account struct {
	endpoint, region                   string
	accessKey, secretKey, sessionToken string
	google                             bool // Google's store by its S3-compatible API
}

// accessKeys are our name for it, and that of Amazon's own tools.
var accessKeys = []string{"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"}

// newS3Account reads the first map with an access key; where none has one, the first that says anything of S3, which may
// still name the endpoint of a public bucket. endpoint is the node's own, "" for AWS.
func newS3Account(endpoint string, secrets []map[string]string) (s3Account, error) {
	chosen := choose(secrets, accessKeys...)
	if chosen == nil {
		chosen = choose(secrets, "AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT", "endpoint", "ENDPOINT", "AWS_REGION", "region", "REGION")
	}
	a := s3Account{
		endpoint:     first(chosen, "AWS_ENDPOINT", "endpoint", "ENDPOINT"),
		region:       first(chosen, "AWS_REGION", "region", "REGION"),
		accessKey:    first(chosen, accessKeys...),
		secretKey:    first(chosen, "AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
		sessionToken: first(chosen, "AWS_SESSION_TOKEN"),
	}
	if a.endpoint == "" {
		a.endpoint = endpoint
	}
	if a.endpoint == "" {
		a.endpoint = amazon
	}
	return a, both("AWS_ACCESS_KEY", a.accessKey, "AWS_SECRET_KEY", a.secretKey)
}

// both refuses one of two secrets that go together without the other.
func both(oneName, one, otherName, other string) error {
	if one != "" && other == "" {
		return orbit.Permanent(orbit.CodeDenied, "secrets hold %s but no %s; give both", oneName, otherName)
	}
	if one == "" && other != "" {
		return orbit.Permanent(orbit.CodeDenied, "secrets hold %s but no %s; give both", otherName, oneName)
	}
	return nil
}

// connect implements account.
func (a s3Account) connect(o *Opener) (store, error) {
	endpoint, err := url.Parse(a.endpoint)
	if err != nil || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" ||
		(endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return nil, errEndpoint
	}
	ofAmazon := s3utils.IsAmazonEndpoint(*endpoint)
	options := &minio.Options{
		Creds:      credentials.NewStaticV4(a.accessKey, a.secretKey, a.sessionToken),
		Secure:     endpoint.Scheme == "https",
		Transport:  lister{o.transport},
		Region:     a.region,
		MaxRetries: o.attempts,
	}
	if !ofAmazon {
		options.BucketLookup = minio.BucketLookupPath // other stores seldom have a host name for each bucket
		if a.region == "" {
			options.Region = "us-east-1" // what they sign with; else each bucket's region is asked for first
		}
	}
	core, err := minio.NewCore(endpoint.Host, options)
	if err != nil {
		return nil, errEndpoint
	}
	s := &s3Store{s3: core, host: endpoint.Host, same: endpoint.Host, signed: a.accessKey != "", google: a.google,
		keyName: accessKeys[0], secretName: "AWS_SECRET_KEY"}
	if a.google {
		s.keyName, s.secretName = "GCS_ACCESS_KEY", "GCS_SECRET_KEY"
	}
	if ofAmazon {
		s.same = "s3.amazonaws.com" // its many hosts show the same buckets
	}
	return s, nil
}

var errEndpoint = orbit.Permanent(orbit.CodeInvalidConfig,
	"the endpoint of the S3 store is no URL of a host; write AWS_ENDPOINT like https://minio.example.com:9000")
