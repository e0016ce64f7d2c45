package files

import "github.com/exospherehost/orbit"

// amazon is where a bucket is when nobody says otherwise.
const amazon = "https://s3.amazonaws.com"

// account is all that tells one S3 client from another. It holds secrets and is never printed.
type account struct {
	endpoint, region                   string
	accessKey, secretKey, sessionToken string
}

// newAccount reads the first map with an access key; where none has one, the first that is not empty, which may still
// name the endpoint of a public bucket. endpoint is the node's own, "" for AWS.
func newAccount(endpoint string, secrets []map[string]string) (account, error) {
	chosen := choose(secrets)
	a := account{
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
	if a.accessKey != "" && a.secretKey == "" {
		return account{}, orbit.Permanent(orbit.CodeDenied, "secrets hold AWS_ACCESS_KEY but no AWS_SECRET_KEY; give both")
	}
	if a.accessKey == "" && a.secretKey != "" {
		return account{}, orbit.Permanent(orbit.CodeDenied, "secrets hold AWS_SECRET_KEY but no AWS_ACCESS_KEY; give both")
	}
	return a, nil
}

// accessKeys are our name for it, and that of Amazon's own tools.
var accessKeys = []string{"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"}

func choose(secrets []map[string]string) map[string]string {
	for _, m := range secrets {
		if first(m, accessKeys...) != "" {
			return m
		}
	}
	for _, m := range secrets {
		if len(m) > 0 {
			return m
		}
	}
	return nil
}

// first gives the value of the first of the names that has one.
func first(m map[string]string, names ...string) string {
	for _, name := range names {
		if m[name] != "" {
			return m[name]
		}
	}
	return ""
}
