package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// move runs move-file.
func move(t *testing.T, o *Opener, c config, incoming any) (map[string]any, error) {
	t.Helper()
	out, err := run(t.Context(), find(t, o, "move-file"), &satellite.Invocation{Config: c, Incoming: orbit.MustObject(incoming)})
	if err != nil {
		return nil, err
	}
	if len(out) != 1 {
		t.Fatalf("returned %d objects", len(out))
	}
	return out[0], nil
}

// seedMove is the step of the introduction's example, with its expressions resolved.
func seedMove(endpoint string) config {
	return config{
		"origin-source":         "s3",
		"origin-bucket":         "bucket",
		"origin-file-path":      "sec/a.pdf",
		"destination-source":    "s3",
		"destination-bucket":    "bucket",
		"destination-file-path": "failed/quaterly-financial-reports/a.pdf",
		"secrets": map[string]any{
			"ORIGIN_AWS_ACCESS_KEY": canaryKey, "ORIGIN_AWS_SECRET_KEY": canarySecret,
			"DESTINATION_AWS_ACCESS_KEY": canaryKey, "DESTINATION_AWS_SECRET_KEY": "another",
		},
	}
}

func TestTheMoveOfTheIntroductionMoves(t *testing.T) {
	s3 := newFakeS3(t, "sec/a.pdf")
	want := map[string]any{
		"file-uri":  "s3://bucket/failed/quaterly-financial-reports/a.pdf",
		"file-path": "failed/quaterly-financial-reports/a.pdf",
	}
	for attempt := range 3 { // the second and third find it done
		got, err := move(t, newOpener(t, s3.URL), seedMove(s3.URL), nil)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Fatalf("attempt %d: %v %s", attempt, err, d)
		}
	}
	if d := cmp.Diff([]string{"failed/quaterly-financial-reports/a.pdf"}, s3.Keys()); d != "" {
		t.Error(d)
	}
	if got := s3.Content("failed/quaterly-financial-reports/a.pdf"); got != "sec/a.pdf" || s3.Copies.Load() != 0 {
		t.Errorf("the copy holds %q, after %d copies by the store", got, s3.Copies.Load())
	}
}

func TestOneStoreWithOneSetOfCredentialsCopiesByItself(t *testing.T) {
	s3 := newFakeS3(t, "sec/a.pdf")
	c := seedMove(s3.URL)
	c["secrets"].(map[string]any)["DESTINATION_AWS_SECRET_KEY"] = canarySecret
	if _, err := move(t, newOpener(t, s3.URL), c, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"failed/quaterly-financial-reports/a.pdf"}, s3.Keys()); d != "" || s3.Copies.Load() != 1 {
		t.Errorf("%d copies by the store: %s", s3.Copies.Load(), d)
	}
}

func TestAFileMovesFromStoreToStore(t *testing.T) {
	s3 := newFakeS3(t, "sec/a.pdf")
	folder := t.TempDir()
	there := config{
		"source-provider": "aws-s3", "source-file-path": "s3://bucket/sec/a.pdf",
		"destination-provider": "file", "destination-file-path": folder + "/new/a.pdf",
		"secrets": map[string]any{"SOURCE_AWS_ACCESS_KEY": canaryKey, "SOURCE_AWS_SECRET_KEY": canarySecret},
	}
	back := config{
		"source-provider": "file", "source-file-path": "file://" + folder + "/new/a.pdf",
		"destination-provider": "s3", "destination-file-path": "s3://bucket/back.pdf",
		"secrets": map[string]any{"DESTINATION_AWS_ACCESS_KEY": canaryKey, "DESTINATION_AWS_SECRET_KEY": canarySecret},
	}
	got, err := move(t, newOpener(t, s3.URL), there, nil)
	if err != nil || got["file-path"] != folder+"/new/a.pdf" || len(s3.Keys()) != 0 {
		t.Fatalf("got %v, %v; the bucket holds %v", got, err, s3.Keys())
	}
	if text, err := os.ReadFile(folder + "/new/a.pdf"); err != nil || string(text) != "sec/a.pdf" {
		t.Fatalf("the copy holds %q, %v", text, err)
	}
	got, err = move(t, newOpener(t, s3.URL), back, nil)
	if err != nil || got["file-uri"] != "s3://bucket/back.pdf" || s3.Content("back.pdf") != "sec/a.pdf" || len(ls(t, folder+"/new")) != 0 {
		t.Errorf("got %v, %v; the bucket holds %v", got, err, s3.Keys())
	}
}

func TestAFileOfTheNodeIsRenamed(t *testing.T) {
	root := tree(t, "in/a.pdf", "out/a.pdf")
	before, err := os.Stat(root + "/in/a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	c := config{"source-provider": "file", "source-file-path": root + "/in/a.pdf", "destination-provider": "file", "destination-file-path": root + "/out/a.pdf"}
	if _, err := move(t, newOpener(t, ""), c, nil); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(root + "/out/a.pdf")
	if err != nil || !os.SameFile(before, after) || len(ls(t, filepath.Join(root, "in"))) != 0 {
		t.Errorf("it was copied, or is still there: %v", err)
	}
}

func TestTheOriginalStaysUntilTheCopyIsInPlace(t *testing.T) {
	root := tree(t, "a.pdf", "taken/x")
	s3 := newFakeS3(t, "sec/a.pdf")
	s3.CutBody = true
	there := config{
		"source-provider": "aws-s3", "source-file-path": "s3://bucket/sec/a.pdf",
		"destination-provider": "file", "destination-file-path": root + "/new/b.pdf",
		"secrets": map[string]any{"SOURCE_AWS_ACCESS_KEY": canaryKey, "SOURCE_AWS_SECRET_KEY": canarySecret},
	}
	_, err := move(t, newOpener(t, s3.URL), there, nil)
	wantError(t, err, orbit.CodeUnavailable, true,
		"the S3 store at "+s3.host()+" cannot be reached (the connection or its answer broke off); check the endpoint and the network")
	if len(s3.Keys()) != 1 || len(ls(t, root+"/new")) != 0 {
		t.Errorf("the bucket holds %v, the folder %v", s3.Keys(), ls(t, root+"/new"))
	}
	c := config{"source-provider": "file", "source-file-path": root + "/a.pdf", "destination-provider": "file", "destination-file-path": root + "/taken"}
	_, err = move(t, newOpener(t, ""), c, nil)
	wantError(t, err, orbit.CodeInvalidInput, false, "file "+root+"/taken cannot be written: a folder of that name is there; choose another name")
	if _, err := os.Stat(root + "/a.pdf"); err != nil {
		t.Error(err)
	}
}

func TestAMoveThatCannotBeIsSaid(t *testing.T) {
	root := tree(t, "there.pdf")
	secrets := func(from, to string) map[string]any {
		return map[string]any{"SOURCE_AWS_ACCESS_KEY": from, "SOURCE_AWS_SECRET_KEY": "s", "DESTINATION_AWS_ACCESS_KEY": to, "DESTINATION_AWS_SECRET_KEY": "s"}
	}
	const missing = " was not found on this node; check the path, and that every node that runs the satellite has it"
	for _, c := range []struct {
		name     string
		config   config
		incoming any
		code     orbit.Code
		message  string
	}{
		{"the same key", config{"source-provider": "s3", "source-bucket": "bucket", "source-file-path": "a", "destination-provider": "s3", "destination-file-path": "s3://bucket/a", "secrets": secrets("one", "two")},
			nil, orbit.CodeInvalidConfig, "source and destination are the same file, s3://bucket/a; give the destination another path or bucket"},
		{"the same path", config{"source-provider": "file", "source-file-path": root + "/there.pdf", "destination-provider": "file", "destination-file-path": root + "/x/../there.pdf"},
			nil, orbit.CodeInvalidConfig, "source and destination are the same file, file://" + root + "/there.pdf; give the destination another path or bucket"},
		{"neither is there", config{"origin-source": "file", "origin-file-path": root + "/none", "destination-source": "file", "destination-file-path": root + "/neither"},
			nil, orbit.CodeNotFound, "file " + root + "/none" + missing},
		{"another file is there", config{"origin-source": "file", "origin-file-path": root + "/none", "destination-source": "file", "destination-file-path": root + "/there.pdf"},
			map[string]any{"file-uri": "file://" + root + "/none", "size": 5}, orbit.CodeNotFound,
			"file://" + root + "/none was not found, and file://" + root + "/there.pdf holds another file, of 9 bytes instead of 5; check both paths"},
		{"no bucket", config{"origin-source": "s3", "origin-file-path": "a", "destination-source": "file", "destination-file-path": root + "/x"},
			nil, orbit.CodeInvalidConfig, "origin-file-path names no bucket; write it as s3://bucket/a, or give bucket as well"},
		{"a folder", config{"source-provider": "s3", "source-file-path": "s3://bucket/a/", "destination-source": "file", "destination-file-path": root + "/x"},
			nil, orbit.CodeInvalidConfig, "source-file-path names a folder; write the path of a file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := move(t, newOpener(t, ""), c.config, c.incoming)
			wantError(t, err, c.code, false, c.message)
		})
	}
	done := config{"origin-source": "file", "origin-file-path": root + "/none", "destination-source": "file", "destination-file-path": root + "/there.pdf"}
	if _, err := move(t, newOpener(t, ""), done, map[string]any{"file-uri": "file://" + root + "/none", "size": 9}); err != nil {
		t.Errorf("a file of the same size at the destination: %v", err)
	}
}

func TestWhoReadsAMovedFileHasTheSecretsOfItsDestination(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf")
	of := map[string]string{"DESTINATION_AWS_ACCESS_KEY": canaryKey, "DESTINATION_AWS_SECRET_KEY": canarySecret, "SOURCE_AWS_ACCESS_KEY": "x", "SOURCE_AWS_SECRET_KEY": "y"}
	if _, _, err := read(t, newOpener(t, s3.URL), "s3://bucket/a.pdf", of); err != nil {
		t.Error(err)
	}
}
