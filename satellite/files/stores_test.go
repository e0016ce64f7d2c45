package files

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// stand is a store to try, empty, with the credentials for it.
type stand struct {
	opener  *Opener
	top     string // URI of a folder that may not be there yet
	secrets map[string]any
	tree    bool // it has folders
	vague   bool // it tells the time of a file in a listing alone
	copies  func() int
}

// stands are one store of each provider.
func stands(t *testing.T) map[string]func(*testing.T) stand {
	t.Helper()
	opener := func(t *testing.T, endpoints map[string]string) *Opener {
		o := NewOpener(endpoints)
		o.attempts = 1
		t.Cleanup(o.Close)
		return o
	}
	return map[string]func(*testing.T) stand{
		"file": func(t *testing.T) stand {
			return stand{opener: opener(t, nil), top: "file://" + t.TempDir() + "/top", tree: true}
		},
		"aws-s3": func(t *testing.T) stand {
			f := newFakeS3(t)
			return stand{opener: opener(t, map[string]string{"s3": f.URL}), top: "s3://bucket/top", secrets: keys(), copies: func() int { return int(f.Copies.Load()) }}
		},
		"gcs": func(t *testing.T) stand {
			f := newFakeGCS(t)
			return stand{opener: opener(t, map[string]string{"gcs": f.URL}), top: "gs://bucket/top", secrets: f.secrets(t), copies: func() int { return int(f.copies.Load()) }}
		},
		"gcs by HMAC keys": func(t *testing.T) stand {
			f := newFakeS3(t)
			return stand{opener: opener(t, map[string]string{"gcs": f.URL}), top: "gs://bucket/top",
				secrets: map[string]any{"GCS_ACCESS_KEY": canaryKey, "GCS_SECRET_KEY": canarySecret}, copies: func() int { return int(f.Copies.Load()) }}
		},
		"azure-blob by key": func(t *testing.T) stand {
			f := newFakeAzure(t)
			return stand{opener: opener(t, map[string]string{"azure-blob": f.URL}), top: "az://bucket/top", secrets: f.secrets(), copies: func() int { return int(f.copies.Load()) }}
		},
		"sftp": func(t *testing.T) stand {
			f := newSFTPServer(t)
			return stand{opener: opener(t, nil), top: "sftp://" + f.address + t.TempDir() + "/top", secrets: f.secrets(), tree: true}
		},
		"ftp": func(t *testing.T) stand {
			f := newFTPServer(t)
			return stand{opener: opener(t, nil), top: "ftp://" + f.address + "/top", secrets: f.secrets(), tree: true}
		},
		"ftp, encrypted": func(t *testing.T) stand {
			f := newFTPServer(t, func(s *ftpServer) { s.secret.Store(true); s.stiff = true })
			return stand{opener: opener(t, nil), top: "ftp://" + f.address + "/top", secrets: f.secrets(), tree: true}
		},
		"ftp of old": func(t *testing.T) stand {
			f := newFTPServer(t, func(s *ftpServer) { s.old = true })
			return stand{opener: opener(t, nil), top: "ftp://" + f.address + "/top", secrets: f.secrets(), tree: true, vague: true}
		},
		"azure-blob by signature": func(t *testing.T) stand {
			f := newFakeAzure(t)
			return stand{opener: opener(t, nil), top: "az://bucket/top", copies: func() int { return int(f.copies.Load()) },
				secrets: map[string]any{"AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=" + f.URL + "/;SharedAccessSignature=" + azureTestSAS + ";AccountName=" + azureTestAccount}}
		},
	}
}

func each(t *testing.T, check func(*testing.T, stand)) {
	t.Helper()
	for name, make := range stands(t) {
		t.Run(name, func(t *testing.T) { check(t, make(t)) })
	}
}

// put writes a file with the text, by put-files.
func (s stand) put(t *testing.T, name, content string) (map[string]any, error) {
	t.Helper()
	c := config{"folder-path": s.top, "file-name": name, "format": "text", "secrets": s.secrets}
	out, err := run(t.Context(), find(t, s.opener, "put-files"), &satellite.Invocation{Config: c, Input: content})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// list runs get-files below the top.
func (s stand) list(t *testing.T, c config) ([]map[string]any, error) {
	t.Helper()
	if c["file-path"] == nil && c["folder-path"] == nil {
		c["folder-path"] = s.top
	}
	p, _ := providerAt(s.top)
	c["provider"], c["secrets"] = p.name, s.secrets
	return run(t.Context(), find(t, s.opener, "get-files"), &satellite.Invocation{Config: c})
}

// plain gives the secrets as Opener takes them.
func (s stand) plain() map[string]string {
	return (&satellite.Invocation{Config: config{"secrets": s.secrets}}).Secrets()
}

func (s stand) fill(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.put(t, name, name); err != nil {
			t.Fatal(err)
		}
	}
}

// names gives the paths of a listing below the top.
func (s stand) names(objects []map[string]any) string {
	var out []string
	for _, uri := range column(objects, "file-uri") {
		out = append(out, unescape(strings.TrimPrefix(uri, s.top+"/")))
	}
	return strings.Join(out, " ")
}

func TestEveryStoreGivesBackWhatWasWritten(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		for _, content := range []string{"first", "", "the second, which is longer"} {
			got, err := s.put(t, "a b/é+%20#1?.txt", content)
			if err != nil {
				t.Fatal(err)
			}
			uri := s.top + "/a%20b/%C3%A9+%2520%231%3F.txt"
			if got["file-uri"] != uri || got["file-name"] != "é+%20#1?.txt" || got["size"] != len(content) {
				t.Errorf("put-files returned %v", got)
			}
			text, size, err := read(t, s.opener, uri, nil, s.plain())
			if err != nil || text != content || size != int64(len(content)) {
				t.Errorf("read %q of %d bytes, %v; want %q", text, size, err, content)
			}
		}
	})
}

func TestEveryStoreListsAlike(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		s.fill(t, "a.pdf", "B.PDF", "a-b.pdf", "a/x.pdf", "a/old/z.pdf", "notes.txt", "ä/é.pdf")
		for _, c := range []struct {
			config config
			want   string
		}{
			{config{}, "B.PDF a-b.pdf a.pdf notes.txt"},
			{config{"recursive": true}, "B.PDF a-b.pdf a.pdf a/old/z.pdf a/x.pdf notes.txt ä/é.pdf"},
			{config{"recursive": true, "extension": "pdf", "exclude-folders": []any{"old"}}, "B.PDF a-b.pdf a.pdf a/x.pdf ä/é.pdf"},
			{config{"recursive": true, "exclude-files": []any{"a*.pdf"}, "blocked-extensions": []any{".txt"}}, "B.PDF a/old/z.pdf a/x.pdf ä/é.pdf"},
			{config{"folder-path": s.top + "/a", "recursive": true}, "a/old/z.pdf a/x.pdf"},
			{config{"file-path": s.top + "/a/x.pdf"}, "a/x.pdf"},
		} {
			got, err := s.list(t, maps.Clone(c.config))
			if d := cmp.Diff(c.want, s.names(got)); d != "" || err != nil {
				t.Errorf("%v: %v %s", c.config, err, d)
			}
		}
		one, err := s.list(t, config{"file-path": s.top + "/a/x.pdf"})
		if err != nil {
			t.Fatal(err)
		}
		many, err := s.list(t, config{"folder-path": s.top + "/a"})
		if d := cmp.Diff(one, many); (d != "" && !s.vague) || err != nil {
			t.Errorf("a file alone and in its folder: %v %s", err, d)
		}
		if err := fits(t, find(t, s.opener, "get-files").Spec().Output, one[0]); err != nil || one[0]["size"] != len("a/x.pdf") || one[0]["etag"] == "" {
			t.Errorf("%v: %v", one[0], err)
		}
	})
}

func TestAMoveWithinAStoreLeavesOneFile(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		s.fill(t, "in/a b.pdf", "out/a b.pdf")
		if _, err := s.put(t, "in/a b.pdf", "the newer"); err != nil {
			t.Fatal(err)
		}
		both := map[string]any{}
		for name, value := range s.secrets {
			both["ORIGIN_"+name], both["DESTINATION_"+name] = value, value
		}
		p, _ := providerAt(s.top)
		c := config{"origin-source": p.name, "origin-file-path": s.top + "/in/a%20b.pdf",
			"destination-source": p.name, "destination-file-path": s.top + "/out/a%20b.pdf", "secrets": both}
		for range 2 { // the second finds it done
			got, err := move(t, s.opener, c, nil)
			if err != nil || got["file-uri"] != s.top+"/out/a%20b.pdf" {
				t.Fatalf("got %v, %v", got, err)
			}
		}
		if s.copies != nil && s.copies() != 1 {
			t.Errorf("the store copied %d files by itself", s.copies())
		}
		left, err := s.list(t, config{"recursive": true})
		if err != nil || s.names(left) != "out/a b.pdf" {
			t.Errorf("left: %s, %v", s.names(left), err)
		}
		if text, _, err := read(t, s.opener, s.top+"/out/a%20b.pdf", s.plain()); text != "the newer" {
			t.Errorf("it holds %q, %v", text, err)
		}
		c["destination-file-path"] = c["origin-file-path"]
		_, err = move(t, s.opener, c, nil)
		wantError(t, err, orbit.CodeInvalidConfig, false, "source and destination are the same file, "+s.top+"/in/a%20b.pdf; give the destination another path or bucket")
	})
}

func TestAFileMovesIntoEveryStoreAndOutAgain(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		root := tree(t, "in/a.pdf")
		p, _ := providerAt(s.top)
		prefixed := func(prefix string) map[string]any {
			out := map[string]any{}
			for name, value := range s.secrets {
				out[prefix+name] = value
			}
			return out
		}
		if _, err := move(t, s.opener, config{"source-provider": "file", "source-file-path": root + "/in/a.pdf",
			"destination-provider": p.name, "destination-file-path": s.top + "/new/folder/a.pdf", "secrets": prefixed("DESTINATION_")}, nil); err != nil {
			t.Fatal(err)
		}
		if text, _, err := read(t, s.opener, s.top+"/new/folder/a.pdf", s.plain()); text != "in/a.pdf" || len(ls(t, root+"/in")) != 0 {
			t.Fatalf("there: %q, %v; here: %v", text, err, ls(t, root+"/in"))
		}
		if _, err := move(t, s.opener, config{"source-provider": p.name, "source-file-path": s.top + "/new/folder/a.pdf",
			"destination-provider": "file", "destination-file-path": root + "/out/a.pdf", "secrets": prefixed("SOURCE_")}, nil); err != nil {
			t.Fatal(err)
		}
		left, err := s.list(t, config{"recursive": true})
		if text, _ := os.ReadFile(root + "/out/a.pdf"); string(text) != "in/a.pdf" || len(left) != 0 {
			t.Errorf("here: %q; there: %v, %v", text, left, err)
		}
	})
}

func TestEveryStoreDeletesOnce(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		s.fill(t, "a.pdf", "b.pdf")
		for _, deleted := range []bool{true, false} {
			got, err := remove(t, s.opener, "delete-file", config{"file-path": s.top + "/a.pdf", "secrets": s.secrets})
			if d := cmp.Diff(map[string]any{"file-uri": s.top + "/a.pdf", "deleted": deleted}, got); d != "" || err != nil {
				t.Error(err, d)
			}
		}
		got, err := remove(t, s.opener, "delete-file", config{"file-path": s.top + "/no/such/folder", "secrets": s.secrets})
		if err != nil || got["deleted"] != false {
			t.Errorf("got %v, %v", got, err)
		}
		if left, err := s.list(t, config{}); s.names(left) != "b.pdf" {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

func TestWhatIsNotThereIsNotFoundInEveryStore(t *testing.T) {
	each(t, func(t *testing.T, s stand) {
		notFound := func(what string, err error) {
			t.Helper()
			var e *orbit.Error
			if !errors.As(err, &e) || e.Code != orbit.CodeNotFound || e.Retryable {
				t.Errorf("%s: %v", what, err)
			}
			noCanary(t, err)
		}
		_, _, err := read(t, s.opener, s.top+"/none.pdf", s.plain())
		notFound("open", err)
		_, err = s.list(t, config{"file-path": s.top + "/none.pdf"})
		notFound("stat", err)
		got, err := s.list(t, config{})
		if s.tree {
			notFound("list", err)
		} else if err != nil || len(got) != 0 {
			t.Errorf("an empty bucket gives %v, %v", got, err)
		}
	})
}
