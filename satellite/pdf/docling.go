package pdf

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// doclingClient speaks to a docling-serve, API version 1.
type doclingClient struct {
	url    string // of the endpoint
	shown  string // the same for messages, without a password
	key    string
	client *http.Client
}

func newDoclingClient(o Options) *doclingClient {
	d := &doclingClient{url: strings.TrimRight(o.DoclingURL, "/") + "/v1/convert/file", key: o.DoclingKey, client: o.Client}
	d.shown = d.url
	if u, err := url.Parse(d.url); err == nil {
		d.shown = u.Redacted()
	}
	if d.client == nil {
		d.client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	return d
}

// doclingAnswer is the part of its answer that is used.
type doclingAnswer struct {
	Document struct {
		Markdown string          `json:"md_content"`
		Text     string          `json:"text_content"`
		JSON     json.RawMessage `json:"json_content"`
	} `json:"document"`
	Status string `json:"status"` // success, partial_success, skipped or failure
	Errors []struct {
		Message string `json:"error_message"`
	} `json:"errors"`
}

// readWithDocling reads a document of any kind that docling knows.
func (s *parse) readWithDocling(ctx context.Context, inv *satellite.Invocation, req request) (map[string]any, error) {
	data, err := s.load(ctx, inv, req.source)
	if err != nil {
		return nil, err
	}
	answer, err := s.docling.convert(ctx, req, data, 16*s.opts.MaxTextBytes) // its JSON is many times the text
	if err != nil {
		return nil, err
	}
	name, why := req.source.name, "it gives no reason"
	if len(answer.Errors) > 0 && answer.Errors[0].Message != "" {
		why = answer.Errors[0].Message
	}
	switch answer.Status {
	case "success":
	case "partial_success":
		inv.Log.Warn().Str("file", name).Str("err", why).Msg("docling read a part of the document")
	default:
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "docling could not read %s (%s): repair or replace the file", name, why)
	}
	var shape struct {
		Pages map[string]json.RawMessage `json:"pages"`
	}
	if err := json.Unmarshal(answer.Document.JSON, &shape); err != nil {
		return nil, orbit.Transient(orbit.CodeUnavailable, "%s answered without a document for %s: check its version", s.docling.shown, name)
	}
	out := map[string]any{"pages": len(shape.Pages)}
	var size int
	switch req.format {
	case formatMarkdown:
		out["markdown"], size = answer.Document.Markdown, len(answer.Document.Markdown)
	case formatText:
		out["text"], size = answer.Document.Text, len(answer.Document.Text)
	default:
		out["document"], err = orbit.ParseObject(answer.Document.JSON)
	}
	if err == nil && int64(size) > s.opts.MaxTextBytes && !req.images { // embedded pictures are no text
		err = textTooLarge(name, s.opts.MaxTextBytes)
	}
	return out, err
}

// convert sends one file and waits for the answer, of at most limit bytes.
func (d *doclingClient) convert(ctx context.Context, req request, data []byte, limit int64) (*doclingAnswer, error) {
	body, kind, length, err := doclingForm(req, data)
	if err != nil {
		return nil, err
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, body)
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "the docling URL of this node is no URL: %s", d.shown)
	}
	call.ContentLength = length
	call.Header.Set("Content-Type", kind)
	call.Header.Set("Accept", "application/json")
	if d.key != "" {
		call.Header.Set("X-Api-Key", d.key)
	}
	res, err := d.client.Do(call)
	if err != nil {
		return nil, d.unreachable(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, d.unreachable(err)
	}
	if res.StatusCode/100 != 2 {
		return nil, d.refusal(res, raw)
	}
	if int64(len(raw)) > limit {
		return nil, tooLarge(req.source.name, "makes docling's answer too large", orbit.Bytes(limit).String()+" for an answer")
	}
	var answer doclingAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, orbit.Transient(orbit.CodeUnavailable, "%s did not answer as docling-serve does: %v", d.shown, err)
	}
	return &answer, nil
}

// doclingForm is the body of the request around the file (data itself is not copied), its content type and its length.
// JSON is always asked for: only it tells the pages.
func doclingForm(req request, data []byte) (body io.Reader, kind string, length int64, err error) {
	mode, text := "placeholder", map[string]string{formatMarkdown: "md", formatText: "text"}[req.format]
	if req.images {
		mode = "embedded"
	}
	fields := [][2]string{
		{"to_formats", "json"},
		{"image_export_mode", mode},
		{"include_images", strconv.FormatBool(req.images)},
	}
	if text != "" {
		fields = append(fields, [2]string{"to_formats", text})
	}
	if req.language != "en" { // every engine of docling knows English by itself, and each has other names for languages
		fields = append(fields, [2]string{"ocr_lang", req.language})
	}
	var frame bytes.Buffer // bytes.Buffer takes every write
	form := multipart.NewWriter(&frame)
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return nil, "", 0, err
		}
	}
	if _, err := form.CreateFormFile("files", req.source.name); err != nil {
		return nil, "", 0, err
	}
	head := frame.Len()
	if err := form.Close(); err != nil {
		return nil, "", 0, err
	}
	whole := frame.Bytes()
	body = io.MultiReader(bytes.NewReader(whole[:head]), bytes.NewReader(data), bytes.NewReader(whole[head:]))
	return body, form.FormDataContentType(), int64(len(whole) + len(data)), nil
}
