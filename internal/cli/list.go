package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// list shows pages of documents as they come: with -o json as one list of the API, else a row for each. Empty is said on
// stderr where there is none.
func list[T any](a *app, pages iter.Seq2[[]json.RawMessage, error], heads, empty string, row func(T) []string) error {
	if a.json() {
		return a.listJSON(pages)
	}
	t := a.newTable(heads)
	for page, err := range pages {
		if err != nil {
			return err
		}
		for _, raw := range page {
			doc, err := decode[T](raw)
			if err != nil {
				return err
			}
			t.add(row(doc)...)
		}
		if len(page) > 0 {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	if !t.headed {
		a.say("%s", empty)
	}
	return nil
}

// listJSON writes a whole list as if it were one page.
func (a *app) listJSON(pages iter.Seq2[[]json.RawMessage, error]) error {
	between := "\n    "
	if _, err := io.WriteString(a.stdout, "{\n  \"data\": ["); err != nil {
		return err
	}
	for page, err := range pages {
		if err != nil {
			return err
		}
		for _, raw := range page {
			var b bytes.Buffer
			b.WriteString(between)
			_ = json.Indent(&b, raw, "    ", "  ") // it has been read as JSON already
			if _, err := a.stdout.Write(b.Bytes()); err != nil {
				return err
			}
			between = ",\n    "
		}
	}
	end := "],\n  \"next\": null\n}\n"
	if between[0] == ',' {
		end = "\n  " + end
	}
	_, err := io.WriteString(a.stdout, end)
	return err
}

// show shows one document: with -o json as the API gave it, else as table does.
func show[T any](a *app, raw json.RawMessage, table func(T) error) error {
	if a.json() {
		return a.printJSON(raw)
	}
	doc, err := decode[T](raw)
	if err != nil {
		return err
	}
	return table(doc)
}

// printJSON writes a value, indented.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := a.stdout.Write(b.Bytes())
	return err
}

// print writes a line of data.
func (a *app) print(format string, args ...any) error {
	_, err := fmt.Fprintf(a.stdout, format+"\n", args...)
	return err
}

// decode reads a document of the API.
func decode[T any](raw json.RawMessage) (doc T, err error) {
	if err := json.Unmarshal(raw, &doc); err != nil {
		return doc, failf("the gateway answered with something that this version of orbit cannot read; are both of the same version?")
	}
	return doc, nil
}
