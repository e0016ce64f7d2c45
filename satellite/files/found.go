package files

import (
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// found is a file of a listing.
type found struct {
	at       place
	size     int64
	modified time.Time
	etag     string
}

// object is what get-files returns for the file. A listing has many.
func (f found) object() (orbit.Object, error) {
	kind, uri := contentType(f.at.path), f.at.uri()
	o := orbit.NewFields(7, 128+len(kind)+len(f.etag)+2*len(f.at.path)+len(uri))
	o.Text("content-type", kind)
	o.Text("etag", f.etag)
	o.Text("file-name", f.at.name())
	o.Text("file-path", f.at.path)
	o.Text("file-uri", uri)
	o.Text("modified", f.modified.UTC().Format(time.RFC3339))
	o.Number("size", f.size)
	return o.Object()
}

// foundIn describes a file of a folder.
func foundIn(at place, info fs.FileInfo) found {
	return foundAs(at, info.Size(), info.ModTime())
}

// foundAs describes a file of a store that has no etags. One is made of size and time: reading the file would cost more
// than the listing.
func foundAs(at place, size int64, modified time.Time) found {
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(size)))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(modified.UnixNano())))
	return found{at: at, size: size, modified: modified, etag: hex.EncodeToString(h.Sum(nil))}
}

// contentType goes by the extension. It has a table of its own because the system's differs from node to node, and the
// same item must return the same object everywhere.
func contentType(name string) string {
	if t, ok := contentTypes[strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))]; ok {
		return t
	}
	return "application/octet-stream"
}

var contentTypes = map[string]string{
	"7z":      "application/x-7z-compressed",
	"avif":    "image/avif",
	"bmp":     "image/bmp",
	"bz2":     "application/x-bzip2",
	"css":     "text/css",
	"csv":     "text/csv",
	"doc":     "application/msword",
	"docx":    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"eml":     "message/rfc822",
	"epub":    "application/epub+zip",
	"flac":    "audio/flac",
	"gif":     "image/gif",
	"gz":      "application/gzip",
	"heic":    "image/heic",
	"htm":     "text/html",
	"html":    "text/html",
	"ics":     "text/calendar",
	"jpeg":    "image/jpeg",
	"jpg":     "image/jpeg",
	"js":      "text/javascript",
	"json":    "application/json",
	"jsonl":   "application/jsonl",
	"log":     "text/plain",
	"m4a":     "audio/mp4",
	"md":      "text/markdown",
	"mov":     "video/quicktime",
	"mp3":     "audio/mpeg",
	"mp4":     "video/mp4",
	"odp":     "application/vnd.oasis.opendocument.presentation",
	"ods":     "application/vnd.oasis.opendocument.spreadsheet",
	"odt":     "application/vnd.oasis.opendocument.text",
	"ogg":     "audio/ogg",
	"parquet": "application/vnd.apache.parquet",
	"pdf":     "application/pdf",
	"png":     "image/png",
	"ppt":     "application/vnd.ms-powerpoint",
	"pptx":    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"rtf":     "application/rtf",
	"svg":     "image/svg+xml",
	"tar":     "application/x-tar",
	"tif":     "image/tiff",
	"tiff":    "image/tiff",
	"tsv":     "text/tab-separated-values",
	"txt":     "text/plain",
	"wav":     "audio/wav",
	"webm":    "video/webm",
	"webp":    "image/webp",
	"xls":     "application/vnd.ms-excel",
	"xlsx":    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"xml":     "application/xml",
	"yaml":    "application/yaml",
	"yml":     "application/yaml",
	"zip":     "application/zip",
	"zst":     "application/zstd",
}
