package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/exospherehost/orbit/kv"
)

// restoreKey is where the mark of a restore lies, beside the leases.
const restoreKey = "restore"

// restoreMark says that streams are being replaced. Where it does not change any more, that was broken off.
type restoreMark struct {
	Owner string `json:"owner"`
	Beat  uint64 `json:"beat"`
}

// hold keeps every gateway from leading while streams are replaced: it has all the leases, and there is a mark that
// outlives it.
type hold struct {
	g      *Gateway
	broken bool // a restore was broken off here before: what there is, is part of it
	clean  bool // the restore failed and nothing of it is left

	rev  uint64
	beat uint64
	stop context.CancelFunc
	wg   sync.WaitGroup
	err  error // of the beats; read after wg
}

func (g *Gateway) marks() *kv.Bucket[restoreMark] {
	return kv.Open[restoreMark](g.opts.Conn, g.js, kv.CheckpointsBucket)
}

// brokenRestore tells whether a restore was broken off, and refuses where one is under way.
func (g *Gateway) brokenRestore(ctx context.Context) (bool, error) {
	_, seen, err := g.marks().Get(ctx, restoreKey)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := pause(ctx, leaseLife); err != nil {
		return false, err
	}
	if _, now, err := g.marks().Get(ctx, restoreKey); err != nil || now != seen {
		return false, conflict("a restore is under way; wait for its end")
	}
	return true, nil
}

// checkRestored refuses to lead on what a broken-off restore has left.
func (g *Gateway) checkRestored(ctx context.Context) error {
	_, _, err := g.marks().Get(ctx, restoreKey)
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err == nil {
		_ = pause(ctx, leaseLife) // the settler tries again at once
		err = errors.New("a restore was broken off, so what is stored is not whole; run `orbit restore` again")
	}
	return err
}

// hold takes the leases, and returns when those who led have stopped.
func (g *Gateway) hold(ctx context.Context) (*hold, error) {
	broken, err := g.brokenRestore(ctx)
	if err != nil {
		return nil, err
	}
	h := &hold{g: g, broken: broken}
	mark := &restoreMark{Owner: g.opts.Name}
	if broken {
		_, rev, err := g.marks().Get(ctx, restoreKey)
		if err != nil {
			return nil, err
		}
		h.rev, err = g.marks().Update(ctx, restoreKey, mark, rev)
		if err != nil {
			return nil, err
		}
	} else if h.rev, err = g.marks().Create(ctx, restoreKey, mark); err != nil {
		return nil, err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	if err := h.renew(ctx); err != nil {
		h.clean = true
		return nil, errors.Join(err, h.release(false))
	}
	h.wg.Go(func() {
		for pause(beating, leaseEvery) == nil {
			if err := h.renew(beating); err != nil && beating.Err() == nil {
				g.log.Warn().Err(err).Msg("a restore's hold on the leases was not renewed; trying again")
			}
		}
	})
	return h, pause(ctx, 2*leaseEvery) // who led sees within leaseEvery that it does not any more
}

// renew says once more that the leases are taken.
func (h *hold) renew(ctx context.Context) error {
	h.beat++
	rev, err := h.g.marks().Update(ctx, restoreKey, &restoreMark{Owner: h.g.opts.Name, Beat: h.beat}, h.rev)
	if err != nil {
		return err
	}
	h.rev = rev
	return h.leases(ctx, "restore")
}

// leases writes an owner into every lease, whoever has it.
func (h *hold) leases(ctx context.Context, owner string) error {
	for _, s := range h.g.settlers {
		was, _, err := s.lease.bucket().Get(ctx, s.lease.key())
		if errors.Is(err, kv.ErrNotFound) {
			was, err = &leaseDoc{}, nil
		}
		if err != nil {
			return err
		}
		doc := leaseDoc{Owner: owner, Epoch: was.Epoch, Beat: h.beat}
		if was.Owner != owner {
			doc.Epoch++
		}
		if _, err := s.lease.bucket().Put(ctx, s.lease.key(), &doc); err != nil {
			return err
		}
	}
	return nil
}

// release gives the leases back. The mark goes where everything is restored or nothing is; else nobody may lead.
func (h *hold) release(whole bool) error {
	h.stop()
	h.wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if whole || h.clean {
		// Dying before this: nobody leads until a restore has been run again.
		if err := h.g.marks().Erase(ctx, restoreKey, h.rev); err != nil {
			return fmt.Errorf("end the restore: %w; run `orbit restore` again", err)
		}
	}
	_ = h.leases(ctx, "") // failing, they run out by themselves
	return nil
}
