package files

import (
	"net"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
)

// ports are where servers listen unless the secrets or the URI say otherwise.
var ports = map[string]string{providerSFTP: "22", providerFTP: "21"}

// withPort gives host, or host:port where the port is another than the provider's own. A port in host goes before port.
func withPort(p provider, host, port string) (string, error) {
	if !isHost(host) {
		return "", orbit.Permanent(orbit.CodeInvalidConfig, "%s_HOST in secrets is no host; write it like files.example.com", strings.ToUpper(p.name))
	}
	name, own := hostAndPort(host)
	if own == "" {
		own = port
	}
	if n, err := strconv.Atoi(own); own != "" && (err != nil || n < 1 || n > 65535) {
		return "", orbit.Permanent(orbit.CodeInvalidConfig, "%s_PORT in secrets is no port; write a number such as %s", strings.ToUpper(p.name), ports[p.name])
	}
	if own == "" || own == ports[p.name] {
		return bracketed(name), nil
	}
	return net.JoinHostPort(name, own), nil
}

// hostAndPort takes a host apart; the port is "" where there is none.
func hostAndPort(text string) (host, port string) {
	if host, port, err := net.SplitHostPort(text); err == nil {
		return host, port
	}
	return strings.Trim(text, "[]"), ""
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// secretsFor chooses the secrets for the server that a place is on. Those that name another host are never sent there.
func secretsFor(at place, secrets []map[string]string) (chosen map[string]string, address string, err error) {
	p := at.of()
	prefix := strings.ToUpper(p.name) + "_"
	host, _ := hostAndPort(at.bucket)
	elsewhere := false
	for _, m := range secrets {
		named, _ := hostAndPort(m[prefix+"HOST"])
		switch {
		case named != "" && !strings.EqualFold(named, host):
			elsewhere = true
		case chosen == nil && (named != "" || m[prefix+"USER"] != ""):
			chosen = m
		}
	}
	if chosen == nil && elsewhere {
		return nil, "", orbit.Permanent(orbit.CodeDenied, "the file is on the server %s, but %sHOST in secrets names another; give the secrets of that server", host, prefix)
	}
	full, err := withPort(p, at.bucket, chosen[prefix+"PORT"])
	if err != nil {
		return nil, "", err
	}
	name, port := hostAndPort(full)
	if port == "" {
		port = ports[p.name]
	}
	return chosen, net.JoinHostPort(name, port), nil
}
