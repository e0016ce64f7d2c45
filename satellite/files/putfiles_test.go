package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// put runs put-files in a step that has no input.
func put(t *testing.T, c config, incoming any) (map[string]any, error) {
	t.Helper()
	return invokePut(t, &satellite.Invocation{Config: c, Input: incoming, Incoming: orbit.MustObject(incoming)})
}

// putInput runs put-files with the step's resolved input.
func putInput(t *testing.T, c config, input, incoming any) (map[string]any, error) {
	t.Helper()
	return invokePut(t, &satellite.Invocation{Config: c, Input: input, HasInput: true, Incoming: orbit.MustObject(incoming)})
}

func invokePut(t *testing.T, inv *satellite.Invocation) (map[string]any, error) {
	t.Helper()
	out, err := run(t.Context(), find(t, newOpener(t, ""), "put-files"), inv)
	if err != nil {
		return nil, err
	}
	if len(out) != 1 {
		t.Fatalf("returned %d objects", len(out))
	}
	return out[0], nil
}

// ls lists a folder, hidden files too.
func ls(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPutFilesMakesTheFolderAndWritesTheFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "out")
	for range 2 { // the second time over the first file
		got, err := put(t, config{"folder-path": folder, "file-name": "report 1.json"}, map[string]any{"b": 1, "a": "x"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"file-uri":  "file://" + folder + "/report%201.json",
			"file-path": folder + "/report 1.json",
			"file-name": "report 1.json",
			"size":      25,
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		data, _, err := read(t, newOpener(t, ""), got["file-uri"].(string))
		if err != nil || data != "{\n  \"a\": \"x\",\n  \"b\": 1\n}\n" {
			t.Errorf("the file holds %q, %v", data, err)
		}
		if d := cmp.Diff([]string{"report 1.json"}, ls(t, folder)); d != "" {
			t.Error(d)
		}
	}
}

func TestFormatsOfAFile(t *testing.T) {
	list := []any{map[string]any{"b": 1, "a": "<é>"}, "x", nil}
	for _, c := range []struct {
		format  string
		content any
		want    string
	}{
		{"", map[string]any{"a": 1}, "{\n  \"a\": 1\n}\n"},
		{"json", map[string]any{"z": []any{}, "a": map[string]any{"c": 1.5, "b": "<é>"}}, "{\n  \"a\": {\n    \"b\": \"<é>\",\n    \"c\": 1.5\n  },\n  \"z\": []\n}\n"},
		{"json", "x", "\"x\"\n"},
		{"json", nil, "null\n"},
		{"jsonl", list, "{\"a\":\"<é>\",\"b\":1}\n\"x\"\nnull\n"},
		{"jsonl", map[string]any{"a": 1}, "{\"a\":1}\n"},
		{"jsonl", []any{}, ""},
		{"text", "# Title\nline", "# Title\nline"},
		{"text", map[string]any{"b": 1, "a": "<>"}, `{"a":"<>","b":1}`},
		{"text", 12, "12"},
	} {
		got, err := encode(c.content, c.format)
		if err != nil || string(got) != c.want {
			t.Errorf("%s of %v: got %q, %v, want %q", c.format, c.content, got, err, c.want)
		}
	}
	_, err := encode(1, "yaml")
	wantError(t, err, orbit.CodeInvalidConfig, false, "format yaml is not known; use json, jsonl or text")
}

func TestContentComesFromTheInputOrTheIncomingObject(t *testing.T) {
	incoming := map[string]any{"markdown": "# A", "content": "inner"}
	for _, c := range []struct {
		name     string
		hasInput bool
		input    any
		want     string
	}{
		{"the incoming object where the step has no input", false, incoming, `{"content":"inner","markdown":"# A"}`},
		{"content of the input", true, map[string]any{"content": "given"}, "given"},
		{"content of an input that equals the incoming object", true, incoming, "inner"},
		{"content that is null", true, map[string]any{"content": nil}, "null"},
		{"null at a root without payload", false, nil, "null"},
		{"a list that came in", false, []any{1, 2}, "[1,2]"},
	} {
		folder := t.TempDir()
		_, err := invokePut(t, &satellite.Invocation{Config: config{"folder-path": folder, "file-name": "f", "format": "text"}, Input: c.input, HasInput: c.hasInput})
		got, _ := os.ReadFile(filepath.Join(folder, "f"))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	_, err := putInput(t, config{"folder-path": t.TempDir(), "file-name": "f"}, map[string]any{"contents": 1}, incoming)
	wantError(t, err, orbit.CodeInvalidInput, false, "input has no content; write input: {content: …}, or leave input out to write the incoming object")
}

func TestNoFileNameLeadsOutOfTheFolder(t *testing.T) {
	root := tree(t, "outside/kept.txt", "out/x.json")
	folder := filepath.Join(root, "out")
	for _, name := range []string{"", ".", "..", "../a", "a/../../b", "/etc/a", "a/", "a\x00b"} {
		_, err := put(t, config{"folder-path": folder, "file-name": name}, 1)
		if err == nil || !strings.HasSuffix(err.Error(), "is no name of a file in folder-path; it must be relative and stay in the folder") || orbit.AsError(err).Retryable {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := os.Symlink("../outside", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	_, err := put(t, config{"folder-path": folder, "file-name": "link/a.json"}, 1)
	wantError(t, err, orbit.CodeDenied, false, "folder "+folder+"/link is behind a link that leads out of folder-path; write to where the link points")
	if d := cmp.Diff([]string{"kept.txt"}, ls(t, root+"/outside")); d != "" {
		t.Error(d)
	}
}

func TestAFileNameMayNameFoldersBelow(t *testing.T) {
	folder := t.TempDir()
	got, err := put(t, config{"folder-path": folder, "file-name": "2025/03/a.json"}, 1)
	if err != nil || got["file-path"] != folder+"/2025/03/a.json" || got["file-name"] != "a.json" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPutFilesSaysWhatIsInTheWayAndLeavesNothing(t *testing.T) {
	root := tree(t, "out/taken/x", "file")
	for _, c := range []struct {
		config  config
		code    orbit.Code
		message string
	}{
		{config{"folder-path": root + "/out", "file-name": "taken"}, orbit.CodeInvalidInput,
			"file " + root + "/out/taken cannot be written: a folder of that name is there; choose another name"},
		{config{"folder-path": root + "/file", "file-name": "a"}, orbit.CodeInvalidInput,
			"folder " + root + "/file cannot be made: a part of the path is a file; choose another folder"},
		{config{"folder-path": root + "/out", "file-name": "taken/x/y"}, orbit.CodeInvalidInput,
			"folder " + root + "/out/taken/x cannot be made: a part of the path is a file; choose another folder"},
		{config{"folder-path": root + "/out", "file-name": strings.Repeat("x", 256)}, orbit.CodeInvalidInput,
			"file " + root + "/out/" + strings.Repeat("x", 256) + " cannot have this name (file name too long); choose another"},
		{config{"provider": "file", "folder-path": "s3://bucket/out", "file-name": "a"}, orbit.CodeInvalidConfig,
			"folder-path is at s3://, which provider file does not reach; write a path, or use provider aws-s3 for s3://"},
		{config{"provider": "dropbox", "folder-path": "/out", "file-name": "a"}, orbit.CodeInvalidConfig, "provider dropbox is not known; use file, aws-s3, gcs, azure-blob, sftp or ftp"},
		{config{"provider": "gcs", "folder-path": "/out", "file-name": "a"}, orbit.CodeInvalidConfig, "folder-path names no bucket; write it as gs://bucket/out, or give bucket as well"},
		{config{"folder-path": "", "file-name": "a"}, orbit.CodeInvalidConfig, "folder-path is empty; give the folder to write to"},
	} {
		_, err := put(t, c.config, 1)
		wantError(t, err, c.code, false, c.message)
	}
	if d := cmp.Diff([]string{"taken"}, ls(t, root+"/out")); d != "" {
		t.Error(d)
	}
}

func TestPutFilesWritesNothingOnceItsContextHasEnded(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := run(ctx, find(t, newOpener(t, ""), "put-files"), &satellite.Invocation{Config: config{"folder-path": folder, "file-name": "a"}})
	if !errors.Is(err, context.Canceled) || len(ls(t, folder)) != 0 {
		t.Errorf("got %v and %v", err, ls(t, folder))
	}
}
