// Package orbittest runs a whole mesh in one testing/synctest bubble: an embedded NATS server on real files, gateways,
// nodes and gossip, with hours of the mesh's time in milliseconds of ours. Scenarios crash, cut off and restart its parts;
// after each one the package reads everything that was stored and checks the promises of a run against it.
//
//	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
//		o.Apply(yaml)
//		o.Script.On("b", orbittest.FailFirst(2))
//		id := o.Run("test/chain", nil)
//		o.KillNode(0)                   // as kill -9
//		run := o.Wait(id)
//	})                                      // then: Check, stop everything, look for secrets in the files
//
// A crash cuts a process off from the server before anything else happens, so that whatever its goroutines still do on
// their way out reaches nobody. It refuses to reach into the parts: they are started by their constructors and asked over
// their API, and what is checked is read from the streams.
//
// A test binary calls ats.Register of the NATS server in TestMain, outside every bubble: without it fake time stands still.
package orbittest
