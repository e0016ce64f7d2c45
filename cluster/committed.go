package cluster

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
)

// Committed is a record made ready for looking things up in it. It is not changed and may be shared.
type Committed struct {
	*orbit.Record
	first   []int              // index of each result's first object, and the number of all objects
	kids    map[string][]int32 // by child step: the first object of each bundle, by ordinal
	retries []int32            // the first retrying result of each retry bundle, by ordinal
}

// NewCommitted prepares a record.
func NewCommitted(rec *orbit.Record, blobs Blobs) (*Committed, error) {
	c := &Committed{Record: rec, first: make([]int, len(rec.Results)+1)}
	for i := range rec.Results {
		c.first[i+1] = c.first[i] + rec.Results[i].Outputs
	}
	err := EachKid(rec, blobs, func(k orbit.Kid) error {
		switch k.Kind {
		case orbit.KidChild:
			if c.kids == nil {
				c.kids = map[string][]int32{}
			}
			if k.Ordinal != len(c.kids[k.Step]) {
				return fmt.Errorf("%w: the record of bundle %s names bundle %d of %s out of order", orbit.ErrFrame, rec.Bundle, k.Ordinal, k.Step)
			}
			c.kids[k.Step] = append(c.kids[k.Step], int32(k.First))
		case orbit.KidRetry:
			c.retries = append(c.retries, int32(k.First))
		}
		return nil
	})
	return c, err
}

// Size is about what it takes in memory beside the record's own bytes.
func (c *Committed) Size() int {
	n := 128*len(c.Results) + 4*len(c.retries)
	for _, k := range c.kids {
		n += 4 * len(k)
	}
	return n
}

// covering finds the bundle of the child step that holds an object, by its index; first is the index of that bundle's
// first object.
func (c *Committed) covering(step string, object int) (ordinal, first int, err error) {
	kids := c.kids[step]
	i, exact := slices.BinarySearch(kids, int32(object))
	if !exact {
		i--
	}
	if i < 0 {
		return 0, 0, fmt.Errorf("the record of bundle %s names no bundle of %s for its object %d", c.Bundle, step, object)
	}
	return i, int(kids[i]), nil
}

// retryOf finds the retry bundle that a retrying result went to.
func (c *Committed) retryOf(result int) (bundle string, err error) {
	n := 0 // retrying results before it
	for i := range result {
		if c.Results[i].State == orbit.ItemRetrying {
			n++
		}
	}
	i, exact := slices.BinarySearch(c.retries, int32(n))
	if !exact {
		i--
	}
	if i < 0 {
		return "", fmt.Errorf("the record of bundle %s names no retry of %s", c.Bundle, orbit.ItemID(c.Step, c.Results[result].Lineage))
	}
	return orbit.RetryBundleID(c.Step, c.Bundle, i), nil
}

// lineage is that of the item which an object becomes.
func (c *Committed) lineage(object int) orbit.Lineage {
	i, _ := slices.BinarySearch(c.first, object+1)
	i--
	return c.Results[i].Lineage.Child(object - c.first[i])
}

// result finds an item.
func (c *Committed) result(l orbit.Lineage) (int, error) {
	for i := range c.Results {
		if c.Results[i].Lineage == l {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the record of bundle %s has no %s", c.Bundle, orbit.ItemID(c.Step, l))
}

// Failure is what the failure steps of a failed item get.
func (c *Committed) Failure(l orbit.Lineage) (orbit.Object, error) {
	i, err := c.result(l)
	if err != nil {
		return nil, err
	}
	if c.Results[i].Error == nil {
		return nil, fmt.Errorf("%s has not failed", orbit.ItemID(c.Step, l))
	}
	return whatFailed(c.Step, &c.Results[i])
}
