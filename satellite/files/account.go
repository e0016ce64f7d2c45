package files

import (
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// account is all that tells one store from another: its address and the credentials. It can be compared. It holds
// secrets and is never printed.
type account interface {
	// connect makes the store. It sends nothing yet.
	connect(o *Opener) (store, error)
}

// maxStores bounds the cache of stores: more sets of credentials than a node serves at a time.
const maxStores = 64

// store gives the store that a place is in, opened with the secrets, from the cache where it is there.
func (o *Opener) store(at place, secrets ...map[string]string) (store, error) {
	a, err := o.account(at, secrets)
	if err != nil {
		return nil, err
	}
	s, dropped, err := o.cached(a)
	if dropped != nil {
		leave(dropped)
	}
	return s, err
}

func (o *Opener) cached(a account) (s, dropped store, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.stores[a]; s != nil {
		i := slices.Index(o.used, a)
		o.used = append(slices.Delete(o.used, i, i+1), a)
		return s, nil, nil
	}
	if s, err = a.connect(o); err != nil {
		return nil, nil, err
	}
	if len(o.used) == maxStores {
		dropped = o.stores[o.used[0]]
		delete(o.stores, o.used[0])
		o.used = slices.Delete(o.used, 0, 1)
	}
	o.stores[a], o.used = s, append(o.used, a)
	return s, dropped, nil
}

func (o *Opener) account(at place, secrets []map[string]string) (account, error) {
	switch at.provider {
	case providerFile:
		return nodeAccount{}, nil
	case providerS3:
		return newS3Account(o.endpoints["s3"], secrets)
	case providerGCS:
		return newGCSAccount(o.endpoints["gcs"], secrets)
	case providerAzure:
		return newAzureAccount(o.endpoints["azure-blob"], secrets)
	case providerSFTP:
		return newSFTPAccount(at, secrets)
	case providerFTP:
		return newFTPAccount(at, secrets)
	}
	return nil, orbit.Permanent(orbit.CodeInvalidConfig, "provider %s is not known; use %s", at.provider, providerNames)
}

// nodeAccount is that of the node's own files.
type nodeAccount struct{}

func (nodeAccount) connect(*Opener) (store, error) { return node{}, nil }

// first gives the value of the first of the names that has one.
func first(m map[string]string, names ...string) string {
	for _, name := range names {
		if m[name] != "" {
			return m[name]
		}
	}
	return ""
}

// choose gives the first map that has one of the names; nil where none has.
func choose(secrets []map[string]string, names ...string) map[string]string {
	for _, m := range secrets {
		if first(m, names...) != "" {
			return m
		}
	}
	return nil
}

// lent adds to the secrets of other steps those that a move-file among them holds for its destination, where the file
// that it has moved now is.
func lent(secrets []map[string]string) []map[string]string {
	out := secrets
	for _, m := range secrets {
		if to := strip(m, "DESTINATION_"); len(to) > 0 {
			out = append(slices.Clip(out), to)
		}
	}
	return out
}

// strip gives the secrets whose names begin with the prefix, without it.
func strip(m map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for name, value := range m {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			out[short] = value
		}
	}
	return out
}
