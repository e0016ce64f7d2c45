package cluster

// place says how a value is read that a rule is made for; see compiler.value.
type place struct {
	at     string  // pointer to the rule; empty: nothing can point there
	depth  int     // how many rules it is inside of
	branch bool    // the rule is a further one about the same value,
	names  *schema // and these are the keys of the whole
	rename bool    // keys have other spellings
	lists  bool    // a list of one-key maps may stand for a map
	free   bool    // user data: anything goes
	below  reading // how the values of keys are read
}

// reading is how far down the compiler's leniency reaches.
type reading int

const (
	raw     reading = iota // as it is
	shallow                // of an input: the keys of the top, and lists for maps one level further down
	deep                   // of a config
)

// child is the place of the value of a key.
func (p place) child(key string) place {
	q := place{at: under(p.at, "/properties/"+key), depth: p.depth + 1}
	if !plainName.MatchString(key) {
		q.at = ""
	}
	switch {
	case userData[key]:
		q.free = true
	case p.below == raw:
	case p.below == deep:
		q.rename, q.lists, q.below = true, true, deep
	case p.rename:
		q.lists = true
	}
	return q
}

// entry is the place of an entry of a list.
func (p place) entry() place {
	q := place{at: under(p.at, "/items"), depth: p.depth + 1}
	if p.rename {
		q.rename, q.lists, q.below = true, true, p.below
	}
	return q
}

// further is the place of one more rule about the same value.
func (p place) further() place {
	p.at, p.branch, p.depth = "", true, p.depth+1
	return p
}

// under goes on with a pointer, where there is one.
func under(at, rest string) string {
	if at == "" {
		return ""
	}
	return at + rest
}
