package mesh

import "github.com/hashicorp/memberlist"

// goodbye opens the one message that we send beside memberlist's own; the name of the sender follows. memberlist tells
// its events delegate of a loss, but not whether it was a farewell or a death.
const goodbye = 'L'

// sayGoodbye tells every living peer that we go. Best effort: who misses it will show us as Dead.
func (m *Mesh) sayGoodbye() {
	text := append([]byte{goodbye}, m.cfg.Name...)
	for _, n := range m.ml.Members() {
		if n.Name == m.cfg.Name {
			continue
		}
		if err := m.ml.SendBestEffort(n, text); err != nil {
			m.cfg.Log.Debug().Err(err).Str("node", n.Name).Msg("goodbye not sent")
		}
	}
}

// delegate answers memberlist's questions about us. Some come under its lock: no method may block or call it back.
type delegate struct{ m *Mesh }

func (d *delegate) NodeMeta(limit int) []byte {
	meta := d.m.self.bytes()
	if len(meta) > limit {
		return nil // memberlist panics on more; the codec's own bound makes this impossible
	}
	return meta
}

func (d *delegate) NotifyMsg(msg []byte) {
	if len(msg) > 1 && msg[0] == goodbye {
		d.m.view.farewell(string(msg[1:]))
	}
}

func (*delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (*delegate) LocalState(bool) []byte          { return nil }
func (*delegate) MergeRemoteState([]byte, bool)   {}

// events passes what memberlist sees to the view.
type events struct{ view *view }

func (e events) NotifyJoin(n *memberlist.Node)   { e.view.saw(n, true) }
func (e events) NotifyUpdate(n *memberlist.Node) { e.view.saw(n, false) }
func (e events) NotifyLeave(n *memberlist.Node)  { e.view.lost(n.Name) }

// merge looks at what another machine knows of us when views are exchanged for a join. It refuses none.
type merge struct{ m *Mesh }

func (d merge) NotifyMerge(theirs []*memberlist.Node) error {
	for _, n := range theirs {
		if n.Name == d.m.cfg.Name {
			d.m.doubled.Store(n.Address() != d.m.addr || n.State != memberlist.StateAlive)
		}
	}
	return nil
}
