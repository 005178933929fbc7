package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/client/js"
)

//go:embed assets
var embedded embed.FS

// assets is what the pages are made of.
type assets struct {
	page   string            // the template of the chat page
	static map[string]*asset // by path below assets/
}

// clientModule is where the page finds the JavaScript client.
const clientModule = "js/hub.js"

// loadAssets reads what is embedded.
func loadAssets() (assets, error) {
	files := assets{static: make(map[string]*asset)}
	add := func(name string, body []byte) {
		files.static[name] = newAsset(name, body)
		files.static[name].compressed = compress(body)
	}
	add(clientModule, []byte(js.Module))
	root, err := fs.Sub(embedded, "assets")
	if err != nil {
		return files, err
	}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		switch {
		case name == "chat.html":
			files.page = string(body)
		case contentTypes[path.Ext(name)] == "":
			return fmt.Errorf("%s has no content type", name)
		default:
			add(name, body)
		}
		return nil
	})
	return files, err
}

// contentTypes are written down rather than asked of the system, whose tables differ.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// asset is one file as it is served, plain or compressed. It is immutable.
type asset struct {
	contentType string
	tag         string // what both entity tags are made of
	plain       []byte
	compressed  []byte // nil where it is not worth the work
}

// newAsset returns the file called name that holds body.
func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	return &asset{
		contentType: contentTypes[path.Ext(name)],
		tag:         base64.RawURLEncoding.EncodeToString(sum[:12]),
		plain:       body,
	}
}

// compress returns body in gzip.
func compress(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// ServeHTTP answers with the file, or with 304 to a browser that has it: no-cache means to ask each time, so that an
// upgrade shows at once. Each encoding has its own entity tag (RFC 9110 §8.8.3.3).
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, tag := a.plain, a.tag
	if a.compressed != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, tag = a.compressed, a.tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reports whether the value of an Accept-Encoding lists gzip and does not weigh it 0.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		weight = strings.ReplaceAll(weight, " ", "")
		return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
	}
	return false
}
