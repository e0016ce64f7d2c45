package boot

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// TokenVariable is the environment variable that holds the token where no file is given.
const TokenVariable = "ORBIT_TOKEN"

// readToken reads the token from a file, or from the environment where none is named; "" where there is none.
func readToken(file string) (string, error) {
	if file == "" {
		return strings.TrimSpace(os.Getenv(TokenVariable)), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the token file %s cannot be read (%s)", file, cause(err))
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("the token file %s is empty; write a long random word into it", file)
	}
	return token, nil
}

// readGossipKey reads the key that encrypts gossip; nil where no file is named.
func readGossipKey(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the gossip key file %s cannot be read (%s)", file, cause(err))
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || (len(key) != 16 && len(key) != 24 && len(key) != 32) {
		return nil, fmt.Errorf("the gossip key file %s does not hold 16, 24 or 32 bytes in base64; make one with: openssl rand -base64 32", file)
	}
	return key, nil
}

// defaultData is the data folder of a role and name: under the user's data folder.
func defaultData(role, name string) string {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "orbit", role+"-"+name)
}

// isLoopback tells whether an address (host:port, or a URL's host) stays on this machine.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
