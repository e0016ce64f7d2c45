package cluster

// share gives the comments of a gap to what they belong to: the entry below the gap, or something that is open above it.
// Here is the entry below, in the block that is depth blocks deep; nil at the end of the file, and then depth is -1.
func (r *layoutReader) share(gap []comment, blank bool, here *open, depth int) {
	if here != nil && depth == len(r.path) {
		opening := 0 // the comments up to the last empty line are about the block
		for i := range gap {
			if i+1 < len(gap) && gap[i+1].blank || i+1 == len(gap) && blank {
				opening = i + 1
			}
		}
		here.block.opening, here.entry.head, here.entry.blank = gap[:opening], gap[opening:], blank
		r.path = append(r.path, *here)
		return
	}
	touching := 0 // the comments right below the last value, if an empty line follows them
	for touching < len(gap) && !gap[touching].blank {
		touching++
	}
	if touching == len(gap) && !blank {
		touching = 0
	}
	level, parted := len(r.path), false
	for i, c := range gap {
		parted = parted || c.blank
		level = min(level, r.level(c.column, depth))
		switch {
		case level == len(r.path):
			above := r.path[level-1].entry
			above.inner = append(above.inner, c)
		case level > depth && parted:
			ended := r.path[level].block
			ended.tail = append(ended.tail, c)
		case level > depth || i < touching:
			above := r.path[level].entry
			above.foot = append(above.foot, c)
		default:
			here.entry.head = append(here.entry.head, c)
		}
	}
	if here != nil {
		here.entry.blank = blank
		r.path = append(r.path[:depth], *here)
	}
}

// level tells which of the open blocks a comment belongs to by its column: the innermost one that begins there or left of
// it, but none further out than depth. One more than there are is inside the last entry, where that has no value.
func (r *layoutReader) level(column, depth int) int {
	last := len(r.path) - 1
	if e := r.path[last].entry; column > r.path[last].column && e.block == nil && e.leaf == nil {
		return last + 1
	}
	level := last
	for level > max(depth, 0) && (r.path[level].column > column || r.path[level].column == r.path[level-1].column) {
		level--
	}
	return level
}
