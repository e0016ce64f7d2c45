package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

func TestGetFilesDescribesEachFile(t *testing.T) {
	root := tree(t, "report 1.PDF")
	path := filepath.Join(root, "report 1.PDF")
	if err := os.Chtimes(path, time.Time{}, time.Date(2025, 3, 1, 14, 30, 0, 500, time.FixedZone("", 7200))); err != nil {
		t.Fatal(err)
	}
	got, err := get(t, config{"folder-path": root})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"file-path":    path,
		"file-name":    "report 1.PDF",
		"file-uri":     "file://" + root + "/report%201.PDF",
		"size":         12,
		"modified":     "2025-03-01T12:30:00Z",
		"etag":         got[0]["etag"],
		"content-type": "application/pdf",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	again, _ := get(t, config{"file-path": path})
	if d := cmp.Diff(got, again); d != "" {
		t.Errorf("the same file by file-path differs: %s", d)
	}
	if err := os.WriteFile(path, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	changed, _ := get(t, config{"folder-path": root})
	if changed[0]["etag"] == got[0]["etag"] {
		t.Error("the etag stayed the same when the file changed")
	}
}

func TestFiltersChooseTheFiles(t *testing.T) {
	root := tree(t, "a.pdf", "B.PDF", "c.txt", ".hidden.pdf", "notes", "a/x.pdf", "a-b.pdf", "old/y.pdf", "a/old/z.pdf", "a/old/z.tar.gz",
		tempPrefix+"left-behind")
	for _, c := range []struct {
		name   string
		config config
		want   string
	}{
		{"one level by default, hidden files too", config{}, ".hidden.pdf B.PDF a-b.pdf a.pdf c.txt notes"},
		{"all levels, in byte order of the paths", config{"recursive": true},
			".hidden.pdf B.PDF a-b.pdf a.pdf a/old/z.pdf a/old/z.tar.gz a/x.pdf c.txt notes old/y.pdf"},
		{"an extension in any case", config{"extension": "pdf"}, ".hidden.pdf B.PDF a-b.pdf a.pdf"},
		{"an extension with its dot", config{"extension": ".Txt"}, "c.txt"},
		{"several extensions", config{"extension": "txt", "allowed-extensions": []any{"PDF"}}, ".hidden.pdf B.PDF a-b.pdf a.pdf c.txt"},
		{"an extension of two parts", config{"extension": "tar.gz", "recursive": true}, "a/old/z.tar.gz"},
		{"blocked goes before allowed", config{"allowed-extensions": []any{"pdf", "txt"}, "blocked-extensions": []any{".pdf"}}, "c.txt"},
		{"a file left out by name", config{"exclude-files": []any{"a.pdf", "notes"}}, ".hidden.pdf B.PDF a-b.pdf c.txt"},
		{"files left out by pattern", config{"exclude-files": []any{"*.pdf", ".*"}}, "B.PDF c.txt notes"},
		{"a file left out by path", config{"recursive": true, "exclude-files": []any{"a/old/z.pdf"}, "extension": "pdf"},
			".hidden.pdf B.PDF a-b.pdf a.pdf a/x.pdf old/y.pdf"},
		{"a folder left out at any depth", config{"recursive": true, "extension": "pdf", "exclude-folders": []any{"old"}},
			".hidden.pdf B.PDF a-b.pdf a.pdf a/x.pdf"},
		{"a folder left out by path", config{"recursive": true, "extension": "pdf", "exclude-folders": []any{"a/old/"}},
			".hidden.pdf B.PDF a-b.pdf a.pdf a/x.pdf old/y.pdf"},
		{"a folder left out by its whole path", config{"recursive": true, "extension": "pdf", "exclude-folders": []any{root + "/a"}},
			".hidden.pdf B.PDF a-b.pdf a.pdf old/y.pdf"},
		{"a single file whatever the filters say", config{"file-path": root + "/c.txt", "extension": "pdf"}, "c.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.config["file-path"] == nil {
				c.config["folder-path"] = root
			}
			got, err := get(t, c.config)
			if err != nil {
				t.Fatal(err)
			}
			paths := column(got, "file-path")
			for i := range paths {
				paths[i] = strings.TrimPrefix(paths[i], root+"/")
			}
			if d := cmp.Diff(strings.Fields(c.want), paths); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAFolderAndABucketListAlike(t *testing.T) {
	names := []string{"a.pdf", "a/x.pdf", "a-b/y.pdf", "a0/z.pdf", "b/c/d.pdf", "ä/é.pdf", "Z.pdf"}
	root := tree(t, names...)
	s3 := newFakeS3(t, slices.Clone(names)...)
	s3.PageSize = 2
	for _, recursive := range []bool{false, true} {
		local, err := get(t, config{"folder-path": root, "recursive": recursive})
		if err != nil {
			t.Fatal(err)
		}
		remote, err := getS3(t, s3, config{"bucket": "bucket", "recursive": recursive})
		if err != nil {
			t.Fatal(err)
		}
		paths := column(local, "file-path")
		for i := range paths {
			paths[i] = strings.TrimPrefix(paths[i], root+"/")
		}
		if d := cmp.Diff(paths, column(remote, "file-path")); d != "" {
			t.Errorf("recursive %v: %s", recursive, d)
		}
	}
}

func TestLinksToFilesAreFollowedAndLinksToFoldersAreNot(t *testing.T) {
	root := tree(t, "in/a.pdf", "elsewhere/b.pdf")
	in := filepath.Join(root, "in")
	for name, target := range map[string]string{"loop": in, "folder": root + "/elsewhere", "b.pdf": root + "/elsewhere/b.pdf", "dangling.pdf": "/nowhere", "self.pdf": "self.pdf"} {
		if err := os.Symlink(target, filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := get(t, config{"folder-path": in, "recursive": true})
	if d := cmp.Diff([]string{"a.pdf", "b.pdf"}, column(got, "file-name")); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestAnEmptyFolderReturnsNothing(t *testing.T) {
	for _, c := range []config{{"folder-path": t.TempDir()}, {"folder-path": tree(t, "a.txt"), "extension": "pdf"}} {
		if got, err := get(t, c); err != nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestARelativeFolderStartsAtTheWorkingDirectory(t *testing.T) {
	root := tree(t, "in/a.pdf")
	t.Chdir(root)
	for _, c := range []config{{"folder-path": "in"}, {"file-path": "./in/a.pdf"}, {"folder-path": "file://" + root + "/in"}} {
		got, err := get(t, c)
		if d := cmp.Diff([]string{root + "/in/a.pdf"}, column(got, "file-path")); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}

func TestGetFilesSaysWhatIsWrongWithItsConfig(t *testing.T) {
	root := tree(t, "a.pdf")
	const missing = " was not found on this node; check the path, and that every node that runs the satellite has it"
	for _, c := range []struct {
		config  config
		code    orbit.Code
		message string
	}{
		{config{}, orbit.CodeInvalidConfig, "provider is missing; use file, aws-s3, gcs, azure-blob, sftp or ftp"},
		{config{"provider": "dropbox"}, orbit.CodeInvalidConfig, "provider dropbox is not known; use file, aws-s3, gcs, azure-blob, sftp or ftp"},
		{config{"provider": "file"}, orbit.CodeInvalidConfig, "it is not said which files; give folder-path, file-path or bucket"},
		{config{"provider": "s3"}, orbit.CodeInvalidConfig, "it is not said which files; give folder-path, file-path or bucket"},
		{config{"provider": "aws-s3", "prefix": "in"}, orbit.CodeInvalidConfig, "it is not said which files; give folder-path, file-path or bucket"},
		{config{"provider": "file", "folder-path": "/a", "file-path": "/b"}, orbit.CodeInvalidConfig, "folder-path and file-path both say which files; keep one of them"},
		{config{"provider": "file", "bucket": "b"}, orbit.CodeInvalidConfig, "bucket has no meaning for provider file; write the path as file:///folder/name, or use provider aws-s3"},
		{config{"provider": "file", "folder-path": "s3://bucket/in"}, orbit.CodeInvalidConfig,
			"folder-path is at s3://, which provider file does not reach; write a path, or use provider aws-s3 for s3://"},
		{config{"provider": "file", "folder-path": root + "/none"}, orbit.CodeNotFound, "folder " + root + "/none" + missing},
		{config{"provider": "file", "file-path": root + "/none.pdf"}, orbit.CodeNotFound, "file " + root + "/none.pdf" + missing},
		{config{"provider": "file", "folder-path": root + "/a.pdf"}, orbit.CodeInvalidConfig, "folder-path " + root + "/a.pdf is a file; write file-path instead"},
		{config{"provider": "file", "file-path": root}, orbit.CodeInvalidConfig, "file-path " + root + " is a folder; write folder-path instead"},
		{config{"provider": "file", "folder-path": root, "exclude-files": []any{"a[.pdf"}}, orbit.CodeInvalidConfig,
			`exclude-files has "a[.pdf", which is no pattern; write \[ where you mean the character [`},
		{config{"provider": "s3", "folder-path": "in"}, orbit.CodeInvalidConfig, "folder-path names no bucket; write it as s3://bucket/in, or give bucket as well"},
		{config{"provider": "s3", "folder-path": "gs://b/in"}, orbit.CodeInvalidConfig, "folder-path is at gs://, which provider aws-s3 does not reach; write s3://bucket/key"},
		{config{"provider": "s3", "folder-path": "s3://a-bucket/in", "bucket": "b-bucket"}, orbit.CodeInvalidConfig,
			"bucket is b-bucket, but folder-path is in bucket a-bucket; keep one of them"},
		{config{"provider": "s3", "folder-path": "in", "bucket": "bucket", "prefix": "x"}, orbit.CodeInvalidConfig, "prefix and folder-path both say which files; keep one of them"},
		{config{"provider": "s3", "file-path": "s3://bucket/in/"}, orbit.CodeInvalidConfig, "file-path names a folder of bucket bucket; write folder-path instead"},
		{config{"provider": "s3", "folder-path": "s3://k:CANARY@bucket/in"}, orbit.CodeInvalidInput,
			"a URI of aws-s3 has no room for credentials or a port; write s3://bucket/key, and put those into secrets"},
		{config{"provider": "s3", "bucket": "Not A Bucket"}, orbit.CodeInvalidConfig, `"Not A Bucket" cannot be the name of a bucket; check bucket, or the part after s3://`},
	} {
		t.Run(c.message, func(t *testing.T) {
			out, err := run(t.Context(), find(t, newOpener(t, ""), "get-files"), &satellite.Invocation{Config: c.config})
			wantError(t, err, c.code, false, c.message)
			if len(out) != 0 {
				t.Errorf("returned %v", out)
			}
		})
	}
}

func TestAListingEndsWithItsContextAndWithEmit(t *testing.T) {
	root := tree(t, "a.pdf", "b.pdf", "c.pdf")
	s3 := newFakeS3(t, "a.pdf", "b.pdf", "c.pdf")
	s3.PageSize = 1
	for _, c := range []config{
		{"provider": "file", "folder-path": root},
		{"provider": "aws-s3", "bucket": "bucket", "secrets": keys()},
	} {
		g := find(t, newOpener(t, s3.URL), "get-files")
		ctx, cancel := context.WithCancel(t.Context())
		emitted := 0
		err := g.Run(ctx, &satellite.Invocation{Config: c}, func(orbit.Object) error { emitted++; cancel(); return nil })
		if !errors.Is(err, context.Canceled) || emitted != 1 {
			t.Errorf("cancelled: %d files and %v", emitted, err)
		}
		full := errors.New("full")
		err = g.Run(t.Context(), &satellite.Invocation{Config: c}, func(orbit.Object) error { return full })
		if err != full {
			t.Errorf("emit's error came back as %v", err)
		}
	}
}

func TestContentTypeGoesByExtension(t *testing.T) {
	for name, want := range map[string]string{
		"a.pdf": "application/pdf", "A.JSON": "application/json", "a.tar.gz": "application/gzip",
		"a": "application/octet-stream", "a.xyz": "application/octet-stream", "in.pdf/a": "application/octet-stream", ".pdf": "application/pdf",
	} {
		if got := contentType(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
