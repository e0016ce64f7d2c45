package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
)

// MaxSatellite is the size of the largest description of a satellite: three schemas, and what else there is.
const MaxSatellite = 256 << 10

// maxSatellites bounds those that are registered: each of them is read for each cluster that is applied.
const maxSatellites = 1_000

// Registered is the answer to the registration of a satellite.
type Registered struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Created bool   `json:"created"` // false: this very description was there already
}

// known are the satellites that clusters may use: those that are built in, and over them, as of now, those that projects have
// registered. It is a cluster.Catalog.
type known struct {
	builtIn    *satellite.Registry
	registered map[string]*satellite.Spec
}

// knownSatellites reads what is registered. It is read anew for each cluster that is compiled, so every gateway knows at once
// what was registered with another.
func (g *Gateway) knownSatellites(ctx context.Context) (*known, error) {
	k := &known{builtIn: g.opts.Registry, registered: map[string]*satellite.Spec{}}
	b := g.store.Satellites
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Satellite
		if len(m.Data) == 0 || json.Unmarshal(m.Data, &doc) != nil {
			return nil // removed; or damaged, which stops nobody who does not use it
		}
		if _, taken := k.builtIn.Lookup(doc.Name); !taken {
			k.registered[doc.Name] = &doc.SatelliteSpec
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the registered satellites: %w", err)
	}
	return k, nil
}

// Lookup finds a satellite by its name or alias.
func (k *known) Lookup(name string) (*orbit.SatelliteSpec, bool) {
	if spec, ok := k.builtIn.Lookup(name); ok {
		return spec, true
	}
	spec, ok := k.registered[strings.TrimPrefix(name, "satellite/")]
	return spec, ok
}

// Names lists every name and alias.
func (k *known) Names() []string {
	return slices.Sorted(slices.Values(slices.Concat(k.builtIn.Names(), slices.Collect(maps.Keys(k.registered)))))
}

// specs lists every description, by name.
func (k *known) specs() []*satellite.Spec {
	all := slices.Concat(k.builtIn.Specs(), slices.Collect(maps.Values(k.registered)))
	slices.SortFunc(all, func(a, b *satellite.Spec) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Register stores the description of a satellite, or changes it. Clusters that were applied before keep what they were
// compiled with.
func (g *Gateway) Register(ctx context.Context, spec satellite.Spec) (*Registered, error) {
	if err := satellite.CheckSpec(&spec); err != nil {
		return nil, invalid("the satellite %.130s cannot be registered: %s", spec.Name, err)
	}
	k, err := g.knownSatellites(ctx)
	if err != nil {
		return nil, err
	}
	if _, taken := k.builtIn.Lookup(spec.Name); taken {
		return nil, conflict("the satellite %s is built in; choose another name", spec.Name)
	}
	if k.registered[spec.Name] == nil && len(k.registered) >= maxSatellites {
		return nil, conflict("no more than %d satellites can be registered; `orbit satellites remove NAME` removes one", maxSatellites)
	}
	version, err := satellite.SpecVersion(&spec)
	if err != nil {
		return nil, err
	}
	key := kv.ClusterKey(spec.Name)
	for range 10 {
		now := time.Now().UTC()
		doc := &kv.Satellite{SatelliteSpec: spec, Version: version, CreatedAt: now, UpdatedAt: now}
		// One document is all there is: dying before it leaves nothing, dying after it leaves it registered.
		old, rev, err := g.store.Satellites.Get(ctx, key)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			_, err = g.store.Satellites.Create(ctx, key, doc)
		case err != nil:
			return nil, err
		case old.Version == doc.Version:
			return &Registered{Name: spec.Name, Version: version}, nil
		default:
			doc.CreatedAt = old.CreatedAt
			_, err = g.store.Satellites.Update(ctx, key, doc, rev)
		}
		if !errors.Is(err, kv.ErrConflict) {
			return &Registered{Name: spec.Name, Version: version, Created: true}, err
		}
	}
	return nil, conflict("the satellite %s keeps changing; try again", spec.Name)
}

// removeRegistered removes a satellite that no applied cluster uses. A cluster that is applied at this very moment may slip
// through: it runs with what it was compiled with, and cannot be applied again.
func (g *Gateway) removeRegistered(ctx context.Context, name string) error {
	key := kv.ClusterKey(name)
	if _, _, err := g.store.Satellites.Get(ctx, key); errors.Is(err, kv.ErrNotFound) {
		return notFound("no satellite %.130q is registered; `orbit satellites --mesh` lists them", name)
	} else if err != nil {
		return err
	}
	users, err := g.usersOf(ctx, name)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		const most = 5
		more := ""
		if len(users) > most {
			more = fmt.Sprintf(" and %d more", len(users)-most)
		}
		return conflict("the satellite %s is used by %s%s; `orbit delete` them, or apply them without it", name, strings.Join(users[:min(most, len(users))], ", "), more)
	}
	return g.store.Satellites.Delete(ctx, key)
}

// usersOf lists the applied clusters that use a satellite.
func (g *Gateway) usersOf(ctx context.Context, name string) ([]string, error) {
	b := g.store.Clusters
	var docs []kv.Cluster
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		var doc kv.Cluster
		if len(m.Data) > 0 && json.Unmarshal(m.Data, &doc) == nil {
			docs = append(docs, doc)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var users []string
	for _, doc := range docs {
		p, err := g.plans.get(ctx, doc.Plan)
		if err != nil {
			return nil, fmt.Errorf("read the plan of %s: %w", doc.Identifier, err)
		}
		for i := range p.Steps {
			if p.Steps[i].Uses == name {
				users = append(users, doc.Identifier)
				break
			}
		}
	}
	slices.Sort(users)
	return users, nil
}

func (g *Gateway) getSatellites(w http.ResponseWriter, r *http.Request) error {
	k, err := g.knownSatellites(r.Context())
	if err != nil {
		return err
	}
	p, err := offsetPage(r, k.specs())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

func (g *Gateway) putSatellite(w http.ResponseWriter, r *http.Request) error {
	text, err := readBody(w, r, MaxSatellite)
	if err != nil {
		return err
	}
	var spec satellite.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return badRequest("the body is no description of a satellite; `orbit satellites register FOLDER` sends one")
	}
	if want := clusterName(r); spec.Name != want {
		return invalid("the description is of %.130q, not %s", spec.Name, want)
	}
	done, err := g.Register(r.Context(), spec)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if done.Created {
		status = http.StatusCreated
	}
	return writeJSON(w, status, done)
}

func (g *Gateway) removeSatellite(w http.ResponseWriter, r *http.Request) error {
	if err := g.removeRegistered(r.Context(), clusterName(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
