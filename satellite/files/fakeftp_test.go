package files

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ftpServer serves a folder as RFC 959, 2389, 2428, 3659 and 4217 have it, as far as the client asks.
type ftpServer struct {
	address string
	root    string
	old     bool // knows nothing younger than RFC 959, but SIZE
	stiff   bool // does not rename over a file
	cut     bool // breaks off every file half way, and says so
	full    bool // has no room
	busy    bool // takes nobody
	tls     *tls.Config
	secret  atomic.Bool // whether TLS is wanted
	at      bool        // from the first byte
	logins  atomic.Int32
	ca      string

	mu    sync.Mutex
	conns []net.Conn
	wait  sync.WaitGroup
}

// newFTPServer starts a server. options change it before it takes anybody.
func newFTPServer(t *testing.T, options ...func(*ftpServer)) *ftpServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &ftpServer{address: l.Addr().String(), root: t.TempDir()}
	s.tls, s.ca = certificate(t)
	for _, option := range options {
		option(s)
	}
	s.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.track(conn)
			if s.at {
				conn = tls.Server(conn, s.tls)
			}
			s.wait.Go(func() { (&ftpVisit{server: s, conn: conn, cwd: "/"}).serve() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.hangUp()
		s.wait.Wait()
	})
	return s
}

func (s *ftpServer) track(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, conn)
}

// hangUp breaks off every connection.
func (s *ftpServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		conn.Close()
	}
	s.conns = nil
}

func (s *ftpServer) secrets() map[string]any {
	host, port, _ := net.SplitHostPort(s.address)
	out := map[string]any{"FTP_HOST": host, "FTP_PORT": port, "FTP_USER": "orbit", "FTP_PASSWORD": "CANARY-password"}
	if s.secret.Load() {
		out["FTP_TLS"], out["FTP_TLS_CA"] = "true", s.ca
	}
	if s.at {
		out["FTP_TLS"] = "implicit"
	}
	return out
}

func (s *ftpServer) with(changes ...string) map[string]string {
	out := map[string]string{}
	for name, value := range s.secrets() {
		out[name] = value.(string)
	}
	for i := 0; i < len(changes); i += 2 {
		out[changes[i]] = changes[i+1]
	}
	return out
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// ftpVisit is one control connection.
type ftpVisit struct {
	server  *ftpServer
	conn    net.Conn
	cwd     string
	user    string
	known   bool // logged in
	private bool // transfers are encrypted
	from    string
	passive net.Listener
}

func (v *ftpVisit) say(format string, args ...any) { fmt.Fprintf(v.conn, format+"\r\n", args...) }

func (v *ftpVisit) serve() {
	defer func() {
		v.conn.Close()
		if v.passive != nil {
			v.passive.Close()
		}
	}()
	if v.server.busy {
		v.say("421 too many users, CANARY")
		return
	}
	v.say("220 ready")
	v.private = v.server.at
	in := bufio.NewReader(v.conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if command == "AUTH" && v.server.secret.Load() {
			v.say("234 go on")
			v.conn = tls.Server(v.conn, v.server.tls)
			in = bufio.NewReader(v.conn)
			continue
		}
		if command == "QUIT" || !v.obey(command, argument) {
			return
		}
	}
}

// path gives the file of this machine that an argument names.
func (v *ftpVisit) path(argument string) string {
	if !strings.HasPrefix(argument, "/") {
		argument = v.cwd + "/" + argument
	}
	return filepath.Join(v.server.root, filepath.Clean("/"+argument))
}

// obey carries out one command; false: the connection ends.
func (v *ftpVisit) obey(command, argument string) bool {
	s := v.server
	if _, encrypted := v.conn.(*tls.Conn); !encrypted && command == "USER" && s.secret.Load() {
		v.say("530 TLS is required")
		return true
	}
	if !v.known && !strings.Contains(" USER PASS FEAT AUTH ", " "+command+" ") {
		v.say("530 not logged in")
		return true
	}
	switch command {
	case "USER":
		v.user = argument
		v.say("331 password, please")
	case "PASS":
		v.known = (v.user == "orbit" && argument == "CANARY-password") || (v.user == "anonymous" && argument != "")
		if !v.known {
			v.say("530 no: CANARY-password")
			return true
		}
		s.logins.Add(1)
		v.say("230 welcome")
	case "FEAT":
		if s.old {
			v.say("500 what?")
			return true
		}
		v.say("211-I know\r\n MLST type*;size*;modify*;\r\n UTF8\r\n SIZE\r\n MDTM\r\n EPSV\r\n211 that")
	case "OPTS", "TYPE", "PBSZ", "NOOP":
		v.say("200 fine")
	case "PROT":
		v.private = argument == "P"
		v.say("200 fine")
	case "CWD":
		if info, err := os.Stat(v.path(argument)); err != nil || !info.IsDir() {
			v.say("550 no such folder")
			return true
		}
		v.cwd = strings.TrimPrefix(v.path(argument), s.root) + "/"
		v.say("250 there")
	case "MKD":
		v.answer(os.Mkdir(v.path(argument), 0o755), "257 \"made\"")
	case "DELE":
		info, err := os.Stat(v.path(argument))
		if err == nil && info.IsDir() {
			err = os.ErrInvalid
		}
		if err == nil {
			err = os.Remove(v.path(argument))
		}
		v.answer(err, "250 gone")
	case "RNFR":
		v.from = v.path(argument)
		_, err := os.Stat(v.from)
		v.answer(err, "350 to what?")
	case "RNTO":
		_, err := os.Stat(v.path(argument))
		if err == nil && s.stiff {
			v.say("553 something is there")
			return true
		}
		v.answer(os.Rename(v.from, v.path(argument)), "250 renamed")
	case "SIZE", "MDTM", "MLST":
		v.describe(command, argument)
	case "EPSV", "PASV":
		v.listen(command)
	case "MLSD", "LIST", "RETR", "STOR":
		return v.transfer(command, argument)
	default:
		v.say("502 what?")
	}
	return true
}

func (v *ftpVisit) answer(err error, text string) {
	if err != nil {
		text = "550 no: CANARY-password"
	}
	v.say("%s", text)
}

func (v *ftpVisit) describe(command, argument string) {
	info, err := os.Stat(v.path(argument))
	switch {
	case v.server.old && command != "SIZE":
		v.say("500 what?")
	case err != nil || (info.IsDir() && command != "MLST"):
		v.say("550 no such file")
	case command == "SIZE":
		v.say("213 %d", info.Size())
	case command == "MDTM":
		v.say("213 %s", info.ModTime().UTC().Format("20060102150405"))
	default:
		v.say("250-it is\r\n %s%s\r\n250 that", facts(info), argument)
	}
}

// facts are those of RFC 3659, with the blank after them.
func facts(info os.FileInfo) string {
	kind := "file"
	if info.IsDir() {
		kind = "dir"
	}
	return fmt.Sprintf("type=%s;size=%d;modify=%s; ", kind, info.Size(), info.ModTime().UTC().Format("20060102150405"))
}

func (v *ftpVisit) listen(command string) {
	if v.passive != nil {
		v.passive.Close()
	}
	if v.server.old && command == "EPSV" {
		v.say("500 what?")
		return
	}
	var err error
	if v.passive, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		v.say("425 no port is free")
		return
	}
	port := v.passive.Addr().(*net.TCPAddr).Port
	if command == "EPSV" {
		v.say("229 come (|||%d|)", port)
		return
	}
	v.say("227 come (127,0,0,1,%d,%d)", port/256, port%256)
}

func (v *ftpVisit) transfer(command, argument string) bool {
	conn, err := v.passive.Accept()
	if err != nil {
		return false
	}
	v.server.track(conn)
	defer conn.Close()
	if v.private {
		conn = tls.Server(conn, v.server.tls)
	}
	var problem string
	switch command {
	case "RETR":
		problem = v.send(conn, argument)
	case "STOR":
		problem = v.receive(conn, argument)
	default:
		v.say("150 here it comes")
		entries, err := os.ReadDir(v.path(argument))
		if err != nil {
			return false
		}
		if command == "MLSD" {
			fmt.Fprintf(conn, "type=cdir;modify=20250301120000; .\r\ntype=pdir;modify=20250301120000; ..\r\n")
		}
		for _, e := range entries {
			info, err := os.Stat(filepath.Join(v.path(argument), e.Name()))
			switch {
			case err != nil:
			case command == "MLSD":
				fmt.Fprintf(conn, "%s%s\r\n", facts(info), e.Name())
			default:
				fmt.Fprintf(conn, "%s 1 o g %d %s %s\r\n", info.Mode(), info.Size(), info.ModTime().UTC().Format("Jan 02 15:04"), e.Name())
			}
		}
	}
	conn.Close()
	if problem == "" {
		problem = "226 done"
	}
	v.say("%s", problem)
	return true
}

// send gives what to say at the end; "" is that all went well.
func (v *ftpVisit) send(conn net.Conn, argument string) string {
	data, err := os.ReadFile(v.path(argument))
	if err != nil {
		return "550 no such file"
	}
	v.say("150 here it comes")
	if v.server.cut {
		_, _ = conn.Write(data[:len(data)/2])
		return "426 something broke, CANARY-password"
	}
	_, _ = conn.Write(data)
	return ""
}

func (v *ftpVisit) receive(conn net.Conn, argument string) string {
	if v.server.full {
		return "452 no room"
	}
	v.say("150 go on")
	data, err := io.ReadAll(conn)
	if err != nil || os.WriteFile(v.path(argument), data, 0o644) != nil {
		return "550 no"
	}
	return ""
}
