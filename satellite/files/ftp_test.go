package files

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// keeps puts a file on the server.
func (s *ftpServer) keeps(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(s.root+"/"+name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFTPIsSpokenInPlainAndEncrypted(t *testing.T) {
	for name, option := range map[string]func(*ftpServer){
		"in plain": func(*ftpServer) {},
		"explicit": func(s *ftpServer) { s.secret.Store(true) },
		"implicit": func(s *ftpServer) { s.secret.Store(true); s.at = true },
		"old":      func(s *ftpServer) { s.old = true },
	} {
		s := newFTPServer(t, option)
		s.keeps(t, "a b.pdf", "what is in it")
		o := newOpener(t, "")
		for range 2 {
			if text, size, err := read(t, o, "ftp://"+s.address+"/a%20b.pdf", s.with()); text != "what is in it" || size != 13 || err != nil {
				t.Errorf("%s: %q of %d bytes, %v", name, text, size, err)
			}
		}
		if n := s.logins.Load(); n != 1 {
			t.Errorf("%s: %d logins", name, n)
		}
		s.hangUp()
		if _, _, err := read(t, o, "ftp://"+s.address+"/a%20b.pdf", s.with()); err != nil || s.logins.Load() != 2 {
			t.Errorf("%s, after the connection was cut: %v, %d logins", name, err, s.logins.Load())
		}
		o.Close()
	}
}

func TestAnyoneMayReadAsAnonymous(t *testing.T) {
	s := newFTPServer(t)
	s.keeps(t, "a", "public")
	if text, _, err := read(t, newOpener(t, ""), "ftp://"+s.address+"/a"); text != "public" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatAnFTPServerRefusesIsSaid(t *testing.T) {
	plain := newFTPServer(t)
	plain.keeps(t, "a", "0123456789")
	encrypted := newFTPServer(t, func(s *ftpServer) { s.secret.Store(true) })
	busy := newFTPServer(t, func(s *ftpServer) { s.busy = true })
	cut := newFTPServer(t, func(s *ftpServer) { s.cut = true })
	cut.keeps(t, "a", "0123456789")
	for _, c := range []struct {
		name      string
		server    *ftpServer
		secrets   map[string]string
		path      string
		code      orbit.Code
		retryable bool
		message   string // %: the server
	}{
		{"a wrong password", plain, plain.with("FTP_PASSWORD", "CANARY"), "/a", orbit.CodeDenied, false,
			"the server % refuses the login; check FTP_USER, FTP_PASSWORD and whether it wants FTP_TLS in secrets"},
		{"in plain where TLS is wanted", encrypted, encrypted.with("FTP_TLS", "false"), "/a", orbit.CodeDenied, false,
			"the server % refuses the login; check FTP_USER, FTP_PASSWORD and whether it wants FTP_TLS in secrets"},
		{"a certificate of nobody's", encrypted, encrypted.with("FTP_TLS_CA", ""), "/a", orbit.CodeDenied, false,
			"the certificate of the server % is not trusted; check FTP_HOST, or put the certificate that signed it into FTP_TLS_CA in secrets"},
		{"TLS where there is none", plain, plain.with("FTP_TLS", "true"), "/a", orbit.CodeRejected, false,
			"the server % does not take the connection (FTP status 502); check FTP_TLS in secrets"},
		{"a CA that is none", plain, plain.with("FTP_TLS", "true", "FTP_TLS_CA", "CANARY"), "/a", orbit.CodeInvalidConfig, false,
			"FTP_TLS_CA in secrets is no certificate; give the PEM text, from BEGIN CERTIFICATE on"},
		{"a word for TLS that is none", plain, plain.with("FTP_TLS", "on"), "/a", orbit.CodeInvalidConfig, false,
			"FTP_TLS in secrets is none of true, explicit, implicit and false"},
		{"two lines", plain, plain.with("FTP_PASSWORD", "CANARY\r\nDELE a"), "/a", orbit.CodeDenied, false, "FTP_USER and FTP_PASSWORD in secrets must be one line each"},
		{"too many users", busy, busy.with(), "/a", orbit.CodeUnavailable, true, "the server % takes no connection at the moment (FTP status 421); try again later"},
		{"a file that is not there", plain, plain.with(), "/none", orbit.CodeNotFound, false,
			"ftp://%/none was not found, or may not be read by FTP_USER; check the path, which begins at the root of the server"},
		{"a path of two lines", plain, plain.with(), "/a%0D%0ADELE%20a", orbit.CodeInvalidInput, false, "a path of % is longer than 4096 bytes, or is not one line of UTF-8; check the path"},
		{"a file that is cut off", cut, cut.with(), "/a", orbit.CodeUnavailable, true, "the server % cannot read ftp://%/a at the moment (FTP status 426); check its disk, or try again later"},
		{"another host", plain, plain.with("FTP_HOST", "files.example.com"), "/a", orbit.CodeDenied, false,
			"the file is on the server 127.0.0.1, but FTP_HOST in secrets names another; give the secrets of that server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := read(t, newOpener(t, ""), "ftp://"+c.server.address+c.path, c.secrets)
			wantError(t, err, c.code, c.retryable, strings.ReplaceAll(c.message, "%", c.server.address))
			noCanary(t, err)
		})
	}
	_, _, err := read(t, newOpener(t, ""), "ftp://127.0.0.1:1/a", plain.with())
	wantError(t, err, orbit.CodeUnavailable, true, "the server 127.0.0.1:1 cannot be reached (connection refused); check FTP_HOST, FTP_PORT and the network")
}

func TestAFullFTPServerKeepsNoPartOfAFile(t *testing.T) {
	s := newFTPServer(t, func(s *ftpServer) { s.full = true })
	_, err := run(t.Context(), find(t, newOpener(t, ""), "put-files"), &satellite.Invocation{
		Config: config{"folder-path": "ftp://" + s.address + "/out", "file-name": "a", "secrets": s.secrets()}, Input: 1})
	e := orbit.AsError(err)
	if e.Code != orbit.CodeUnavailable || !e.Retryable || !strings.Contains(e.Message, "(FTP status 452)") {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff([]string{}, ls(t, s.root+"/out")); d != "" {
		t.Error(d)
	}
}
