package files

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

func TestEveryLoginThatAServerTakes(t *testing.T) {
	s := newSFTPServer(t)
	root := tree(t, "a.pdf")
	key, locked := s.privateKey(t, ""), ""
	for name, c := range map[string]struct {
		secrets func() map[string]string
		dialog  bool
	}{
		"password":               {func() map[string]string { return s.with() }, false},
		"password in a dialogue": {func() map[string]string { return s.with() }, true},
		"private key":            {func() map[string]string { return s.with("SFTP_PASSWORD", "", "SFTP_PRIVATE_KEY", key) }, false},
		"private key on one line": {func() map[string]string {
			return s.with("SFTP_PASSWORD", "", "SFTP_PRIVATE_KEY", strings.ReplaceAll(key, "\n", `\n`))
		}, false},
		"the host in the URI only": {func() map[string]string { return s.with("SFTP_HOST", "", "SFTP_PORT", "") }, false},
		"the key without a name": {func() map[string]string {
			return s.with("SFTP_HOST_KEY", string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey())))
		}, false},
		"a fingerprint":  {func() map[string]string { return s.with("SFTP_HOST_KEY", ssh.FingerprintSHA256(s.hostKey.PublicKey())) }, false},
		"an unknown key": {func() map[string]string { return s.with("SFTP_HOST_KEY", "", "SFTP_INSECURE_HOST_KEY", "true") }, false},
	} {
		s.dialog = c.dialog
		o := newOpener(t, "")
		if text, _, err := read(t, o, "sftp://"+s.address+root+"/a.pdf", c.secrets()); text != "a.pdf" || err != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		o.Close()
	}
	s.dialog = false
	locked = s.privateKey(t, "CANARY-phrase")
	secrets := s.with("SFTP_PASSWORD", "", "SFTP_PRIVATE_KEY", locked, "SFTP_PASSPHRASE", "CANARY-phrase")
	if text, _, err := read(t, newOpener(t, ""), "sftp://"+s.address+root+"/a.pdf", secrets); text != "a.pdf" || err != nil {
		t.Errorf("a locked key: %q, %v", text, err)
	}
}

func TestAServerThatCannotBeEnteredIsSaid(t *testing.T) {
	s := newSFTPServer(t)
	other, _ := newSigner(t)
	locked := s.privateKey(t, "CANARY-phrase")
	host, port, _ := strings.Cut(s.address, ":")
	for _, c := range []struct {
		name      string
		secrets   map[string]string
		code      orbit.Code
		retryable bool
		message   string
	}{
		{"no login", map[string]string{}, orbit.CodeDenied, false, "secrets hold no login for " + s.address + "; add SFTP_USER, and SFTP_PASSWORD or SFTP_PRIVATE_KEY"},
		{"no password", s.with("SFTP_PASSWORD", ""), orbit.CodeDenied, false, "secrets hold no login for " + s.address + "; add SFTP_USER, and SFTP_PASSWORD or SFTP_PRIVATE_KEY"},
		{"a wrong password", s.with("SFTP_PASSWORD", "CANARY-wrong"), orbit.CodeDenied, false,
			"the server " + s.address + " refuses the login; check SFTP_USER, and SFTP_PASSWORD or SFTP_PRIVATE_KEY in secrets"},
		{"no host key", s.with("SFTP_HOST_KEY", ""), orbit.CodeDenied, false,
			"SFTP_HOST_KEY is missing in secrets: it tells " + s.address + " from an impostor. Run `ssh-keyscan -p " + port + " " + host +
				"` on a network you trust and put one of its lines there, or set SFTP_INSECURE_HOST_KEY to true to connect to whoever answers"},
		{"another host key", s.with("SFTP_HOST_KEY", string(ssh.MarshalAuthorizedKey(other.PublicKey()))), orbit.CodeDenied, false,
			"the server " + s.address + " shows the host key " + ssh.FingerprintSHA256(s.hostKey.PublicKey()) +
				" (ssh-ed25519), which is not the one in SFTP_HOST_KEY: someone may be in between, or its key was changed; ask who runs it, then put the new one into secrets"},
		{"a host key of another type", s.with("SFTP_HOST_KEY", "ssh-rsa "+rsaKey(t)), orbit.CodeDenied, false,
			"the server " + s.address + " has no host key of the type in SFTP_HOST_KEY, or speaks none of the ciphers that are still safe; compare with ssh-keyscan"},
		{"no key at all", s.with("SFTP_HOST_KEY", "CANARY"), orbit.CodeDenied, false,
			"SFTP_HOST_KEY in secrets is no host key; give a line of ssh-keyscan, such as `ssh-ed25519 AAAA…`, or a fingerprint, SHA256:…"},
		{"a private key that is none", s.with("SFTP_PRIVATE_KEY", "CANARY"), orbit.CodeDenied, false,
			"SFTP_PRIVATE_KEY in secrets cannot be read; give the whole text of a private key, as ssh-keygen writes it"},
		{"a locked private key", s.with("SFTP_PRIVATE_KEY", locked), orbit.CodeDenied, false, "SFTP_PRIVATE_KEY in secrets is locked; add SFTP_PASSPHRASE"},
		{"a wrong passphrase", s.with("SFTP_PRIVATE_KEY", locked, "SFTP_PASSPHRASE", "CANARY"), orbit.CodeDenied, false,
			"SFTP_PRIVATE_KEY in secrets cannot be read; check that it is a whole private key, and that SFTP_PASSPHRASE fits it"},
		{"another host", s.with("SFTP_HOST", "files.example.com"), orbit.CodeDenied, false,
			"the file is on the server 127.0.0.1, but SFTP_HOST in secrets names another; give the secrets of that server"},
	} {
		_, _, err := read(t, newOpener(t, ""), "sftp://"+s.address+"/a.pdf", c.secrets)
		t.Run(c.name, func(t *testing.T) {
			wantError(t, err, c.code, c.retryable, c.message)
			noCanary(t, err)
		})
	}
	s.noFiles = true
	_, _, err := read(t, newOpener(t, ""), "sftp://"+s.address+"/a.pdf", s.with())
	wantError(t, err, orbit.CodeRejected, false, "the server "+s.address+" lets the user in, but serves it no files; ask who runs it for SFTP")
	_, _, err = read(t, newOpener(t, ""), "sftp://127.0.0.1:1/a.pdf", s.with("SFTP_PORT", ""))
	wantError(t, err, orbit.CodeUnavailable, true, "the server 127.0.0.1:1 cannot be reached (connection refused); check SFTP_HOST, SFTP_PORT and the network")
}

// rsaKey is the public key of another server, in base64.
func rsaKey(t *testing.T) string {
	t.Helper()
	key, err := gcsTestKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(ssh.MarshalAuthorizedKey(public)))[1]
}

func TestConnectionsToAServerAreUsedAgain(t *testing.T) {
	s := newSFTPServer(t)
	root := tree(t, "a.pdf", "b.pdf")
	o := newOpener(t, "")
	for range 3 {
		for _, name := range []string{"/a.pdf", "/b.pdf", "/none.pdf"} {
			_, _, err := read(t, o, "sftp://"+s.address+root+name, s.with())
			if (err != nil) != (name == "/none.pdf") {
				t.Fatal(err)
			}
		}
	}
	if n := s.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
	s.cut() // the server forgets who was there
	if _, _, err := read(t, o, "sftp://"+s.address+root+"/a.pdf", s.with()); err != nil || s.logins.Load() != 2 {
		t.Errorf("after the connection was cut: %v, %d logins", err, s.logins.Load())
	}
}

func TestAConnectionThatBreaksOffIsTriedAgain(t *testing.T) {
	s := newSFTPServer(t)
	root := t.TempDir()
	if err := os.WriteFile(root+"/large", make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	rc, size, err := newOpener(t, "").Open(t.Context(), "sftp://"+s.address+root+"/large", s.with())
	if err != nil || size != 8<<20 {
		t.Fatal(size, err)
	}
	defer rc.Close()
	if _, err := rc.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	s.cut()
	for buf := make([]byte, 1<<20); err == nil; {
		_, err = rc.Read(buf)
	}
	wantError(t, err, orbit.CodeUnavailable, true, "the connection to the server "+s.address+" has broken off; it is opened again")
}

func TestAServersConnectionEndsWithItsContext(t *testing.T) {
	s := newSFTPServer(t)
	root := tree(t, "a.pdf", "b/c.pdf")
	ctx, cancel := context.WithCancel(t.Context())
	secrets := s.secrets()
	err := find(t, newOpener(t, ""), "get-files").Run(ctx, &satellite.Invocation{Config: config{
		"provider": "sftp", "folder-path": root, "recursive": true, "secrets": secrets}}, func(orbit.Object) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAFolderOfAServerIsGivenByItsPathToo(t *testing.T) {
	s := newSFTPServer(t)
	root := tree(t, "in/a.pdf", "in/"+tempPrefix+"left-behind", "elsewhere/b.pdf")
	for name, target := range map[string]string{"loop": root + "/in", "b.pdf": root + "/elsewhere/b.pdf", "dangling.pdf": "/nowhere"} {
		if err := os.Symlink(target, root+"/in/"+name); err != nil {
			t.Fatal(err)
		}
	}
	got, err := run(t.Context(), find(t, newOpener(t, ""), "get-files"), &satellite.Invocation{Config: config{
		"provider": "sftp", "folder-path": root + "/in", "recursive": true, "secrets": s.secrets()}})
	if d := cmp.Diff([]string{root + "/in/a.pdf", root + "/in/b.pdf"}, column(got, "file-path")); d != "" || err != nil {
		t.Fatal(err, d)
	}
	if got[0]["file-uri"] != "sftp://"+s.address+root+"/in/a.pdf" {
		t.Errorf("the URI is %v", got[0]["file-uri"])
	}
	for _, c := range []struct {
		config  config
		message string
	}{
		{config{"folder-path": "in"}, "folder-path is relative; write the path from the root of the server, like /upload/reports, or as sftp://host/folder/name"},
		{config{"folder-path": "/in", "bucket": "b"}, "bucket has no meaning for provider sftp; write the path as sftp://host/folder/name, or use provider aws-s3"},
		{config{"folder-path": "/in", "secrets": map[string]any{}}, "folder-path names no server; put SFTP_HOST into secrets, or write it as sftp://host/folder/name"},
		{config{"folder-path": "/in", "secrets": map[string]any{"SFTP_HOST": "a b"}}, "SFTP_HOST in secrets is no host; write it like files.example.com"},
		{config{"folder-path": "/in", "secrets": map[string]any{"SFTP_HOST": "a", "SFTP_PORT": "x"}}, "SFTP_PORT in secrets is no port; write a number such as 22"},
		{config{"folder-path": root + "/in/a.pdf"}, "folder-path sftp://" + s.address + root + "/in/a.pdf is a file; write file-path instead"},
		{config{"file-path": root + "/in"}, "sftp://" + s.address + root + "/in is a folder; name a file, or write folder-path instead of file-path"},
	} {
		c.config["provider"] = "sftp"
		if c.config["secrets"] == nil {
			c.config["secrets"] = s.secrets()
		}
		_, err := run(t.Context(), find(t, newOpener(t, ""), "get-files"), &satellite.Invocation{Config: c.config})
		wantError(t, err, orbit.CodeInvalidConfig, false, c.message)
	}
}
