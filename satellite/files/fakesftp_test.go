package files

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sftpServer is an SSH server that serves the files of this machine to one user.
type sftpServer struct {
	address string
	hostKey ssh.Signer
	userKey ssh.PublicKey // nil: none is taken
	logins  atomic.Int32
	noFiles bool // it has no SFTP subsystem
	dialog  bool // it asks for the password in a dialogue alone

	mu    sync.Mutex
	conns []net.Conn
	wait  sync.WaitGroup
}

func newSigner(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, key
}

func newSFTPServer(t *testing.T) *sftpServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sftpServer{address: l.Addr().String()}
	s.hostKey, _ = newSigner(t)
	s.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			s.wait.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.cut()
		s.wait.Wait()
	})
	return s
}

// cut breaks off every connection.
func (s *sftpServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
	s.conns = nil
}

var errNo = errors.New("no")

func (s *sftpServer) serve(conn net.Conn) {
	defer conn.Close()
	config := &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() != "orbit" || string(password) != "CANARY-password" || s.dialog {
				return nil, errNo
			}
			return nil, nil
		},
		KeyboardInteractiveCallback: func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Name: ", "Password: "}, []bool{true, false})
			if err != nil || len(answers) != 2 || answers[0] != "" || answers[1] != "CANARY-password" {
				return nil, errNo
			}
			return nil, nil
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.userKey == nil || string(key.Marshal()) != string(s.userKey.Marshal()) {
				return nil, errNo
			}
			return nil, nil
		},
	}
	config.AddHostKey(s.hostKey)
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.logins.Add(1)
	s.wait.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.wait.Go(func() { s.channel(channel, requests) })
	}
}

func (s *sftpServer) channel(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for r := range requests {
		ok := r.Type == "subsystem" && strings.HasSuffix(string(r.Payload), "sftp") && !s.noFiles
		_ = r.Reply(ok, nil)
		if !ok {
			continue
		}
		s.wait.Go(func() { ssh.DiscardRequests(requests) })
		server, err := sftp.NewServer(channel)
		if err != nil {
			return
		}
		if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
			_ = server.Close()
		}
		return
	}
}

func (s *sftpServer) host() string { return s.address }

// secrets are the login by password.
func (s *sftpServer) secrets() map[string]any {
	host, port, _ := net.SplitHostPort(s.address)
	return map[string]any{"SFTP_HOST": host, "SFTP_PORT": port, "SFTP_USER": "orbit", "SFTP_PASSWORD": "CANARY-password",
		"SFTP_HOST_KEY": host + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey())))}
}

// with is secrets with some of them changed; an empty one is left out.
func (s *sftpServer) with(changes ...string) map[string]string {
	out := map[string]string{}
	for name, value := range s.secrets() {
		out[name] = value.(string)
	}
	for i := 0; i < len(changes); i += 2 {
		if out[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(out, changes[i])
		}
	}
	return out
}

// privateKey lets a new key in and gives its text.
func (s *sftpServer) privateKey(t *testing.T, passphrase string) string {
	t.Helper()
	signer, key := newSigner(t)
	s.userKey = signer.PublicKey()
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}
