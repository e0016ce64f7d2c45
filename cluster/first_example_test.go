package cluster_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/schema"
)

// realOptions are the built-in satellites with their schemas.
func realOptions(t testing.TB) cluster.Options {
	t.Helper()
	all, err := catalog.New(catalog.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster.Options{Catalog: all.Registry(), Check: func(spec *orbit.SatelliteSpec, part string, value any) (out []cluster.Violation) {
		raw := spec.Config
		if part == "input" {
			raw = spec.Input
		}
		s, err := schema.Compile(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range s.Check(value) {
			out = append(out, cluster.Violation{Path: v.Path, Message: v.Message})
		}
		return out
	}}
}

// The first published example of a cluster file, as it was published.
func TestTheFirstPublishedExampleIsWrongOnLine126(t *testing.T) {
	r := cluster.Compile("structured-json.yml", []byte(readFile(t, "testdata/first-example.verbatim.yml")), realOptions(t))
	want := `structured-json.yml:126:13: error[ORB-C004]: this is not YAML: mapping values are not allowed in this context
  126 |             uses: satellite/exospherehost/move-file
                    ^
hint: check the indentation: uses begins in column 13, but name on line 125 begins in column 12, and the keys of one map stand in the same column
`
	if diff := cmp.Diff(want, rendered(r.Diagnostics, false)); diff != "" {
		t.Error(diff)
	}
}

// The same with the indentation of its failure steps mended.
func TestTheFirstPublishedExampleMendedLacksTwoSecrets(t *testing.T) {
	r := cluster.Compile("structured-json.yml", []byte(readFile(t, "testdata/first-example.mended.yml")), realOptions(t))
	want := `144:32 error ORB-C056 the secret PAGERDUTY_API_KEY is used but not declared
    declare it under cluster.secrets, such as PAGERDUTY_API_KEY: {env: PAGERDUTY_API_KEY}
145:35 error ORB-C056 the secret PAGERDUTY_SERVICE_ID is used but not declared
    declare it under cluster.secrets, such as PAGERDUTY_SERVICE_ID: {env: PAGERDUTY_SERVICE_ID}
`
	if diff := cmp.Diff(want, told(r.Errors())); diff != "" {
		t.Error(diff)
	}
	all := told(r.Diagnostics)
	if !strings.Contains(all, "133:33 warning ORB-C080 origin-bucket and destination-bucket are the same") {
		t.Error(all)
	}
	if !strings.Contains(all, "27:23 warning ORB-C084 the values of 8 secrets stand in this file, this one first") || strings.Count(all, "ORB-C084") != 1 {
		t.Error(all)
	}
	if strings.Contains(all, "ORB-C081") {
		t.Error(all)
	}
}

// The same with its secrets declared compiles.
func TestTheFirstPublishedExampleCompilesWithItsSecrets(t *testing.T) {
	text := strings.Replace(readFile(t, "testdata/first-example.mended.yml"), "  secrets:\n",
		"  secrets:\n    - PAGERDUTY_API_KEY: {env: PAGERDUTY_API_KEY}\n    - PAGERDUTY_SERVICE_ID: {vault: pagerduty/service}\n", 1)
	r := cluster.Compile("structured-json.yml", []byte(text), realOptions(t))
	if r.Plan == nil {
		t.Fatal(told(r.Diagnostics))
	}
	want := `>get-files-from-s3 1
get-files-from-s3>parse-pdf-with-docling 2
parse-pdf-with-docling>deepseek-r1-distrill-llama-70b 3
deepseek-r1-distrill-llama-70b>call-webhook 4
call-webhook>delete-file-from-s3 5
>move-to-failure-bucket 1
move-to-failure-bucket>send-pagerduty-alert 2
>send-logs-to-new-relic 1
`
	if diff := cmp.Diff(want, drawn(r.Plan)); diff != "" {
		t.Error(diff)
	}
	want = `get-files-from-s3:
parse-pdf-with-docling:
deepseek-r1-distrill-llama-70b: get-files-from-s3(file-name,file-path)
call-webhook: get-files-from-s3(file-name,file-path)
delete-file-from-s3: get-files-from-s3(file-name,file-path)
move-to-failure-bucket: get-files-from-s3(file-name,file-path)
send-pagerduty-alert: $failure() get-files-from-s3(file-path)
send-logs-to-new-relic:
`
	if diff := cmp.Diff(want, carried(r.Plan)); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(r.Plan.Encode()), "your-aws-access-key") || r.Inline["AWS_ACCESS_KEY"] != "your-aws-access-key" {
		t.Error("an inline secret is not where it belongs")
	}
}
