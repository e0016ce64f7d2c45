package pdf

import "strings"

// document is what was read from a PDF file.
type document struct {
	pages    []page
	metadata map[string]any
}

// output gives the object to return, without the file's path and name.
func (d *document) output(format, name string, limit int64) (map[string]any, error) {
	out := map[string]any{"pages": len(d.pages)}
	switch format {
	case formatJSON:
		out["document"] = d.json()
	case formatText:
		out["text"] = d.text()
	default:
		text := markdown(d.pages)
		if int64(len(text)) > limit { // headings and empty lines add a little
			return nil, textTooLarge(name, limit)
		}
		out["markdown"] = text
	}
	return out, nil
}

// text is the text of all pages that have any, an empty line between them.
func (d *document) text() string {
	var texts []string
	for _, p := range d.pages {
		if len(p.lines) > 0 {
			texts = append(texts, p.text())
		}
	}
	return strings.Join(texts, "\n\n")
}

func (d *document) json() map[string]any {
	pages := make([]any, len(d.pages))
	for i, p := range d.pages {
		pages[i] = map[string]any{"number": p.number, "width": p.width, "height": p.height, "text": p.text()}
	}
	return map[string]any{"pages": pages, "metadata": d.metadata}
}
