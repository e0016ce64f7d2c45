package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/custom"
)

// describeNode prints, as a list of JSON, the descriptions of the satellites that a node has beside the built-in ones.
func describeNode(cfg NodeConfig, linked []satellite.Satellite, stdout io.Writer) error {
	builtIn, err := catalog.New(catalog.Options{})
	if err != nil {
		return err
	}
	defer builtIn.Close()
	specs := []*satellite.Spec{}
	for _, s := range linked {
		if err := builtIn.Registry().Add(s); err != nil {
			return err
		}
		specs = append(specs, s.Spec())
	}
	own, err := custom.OpenAll(cfg.Satellites, builtIn.Registry())
	if err != nil {
		return err
	}
	defer own.Close()
	text, err := json.MarshalIndent(append(specs, own.Specs()...), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", text)
	return err
}

// poolsOf are the pools that a node hosts: the core, and those of the satellites beside the built-in ones.
func poolsOf(lists ...[]satellite.Satellite) []string {
	pools := []string{orbit.CorePool}
	for _, s := range slices.Concat(lists...) {
		if pool := s.Spec().Pool; pool != "" && !slices.Contains(pools, pool) {
			pools = append(pools, pool)
		}
	}
	return pools
}

// compareTime bounds the look at what is registered: the node starts without it.
const compareTime = 2 * time.Second

// compareSpecs warns of satellites of one's own that the gateway knows in another way than this node, or not at all. The node
// runs what it has: a cluster was compiled with what is registered.
func (n *Node) compareSpecs(ctx context.Context, log zerolog.Logger) {
	if len(n.own.Satellites) == 0 {
		return
	}
	js, err := jetstream.New(n.conn)
	if err != nil {
		return // whatever is wrong, the node says it when it begins to work
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	registered := kv.NewStore(n.conn, js).Satellites
	for _, spec := range n.own.Specs() {
		doc, _, err := registered.Get(ctx, kv.ClusterKey(spec.Name))
		switch version, verr := satellite.SpecVersion(spec); {
		case errors.Is(err, kv.ErrNotFound):
			log.Warn().Str("satellite", spec.Name).Msg("the gateway does not know this satellite: register its folder with `orbit satellites register`")
		case err != nil || verr != nil:
			log.Debug().Err(errors.Join(err, verr)).Str("satellite", spec.Name).Msg("what is registered could not be read")
		case doc.Version != version:
			log.Warn().Str("satellite", spec.Name).Msg("the gateway knows another description of this satellite: register its folder again, or bring this node's up to date")
		}
	}
}
