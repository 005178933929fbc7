package api

import (
	_ "embed"
	"net/http"
	"sync"

	"github.com/goccy/go-yaml"
)

// specYAML describes the API: OpenAPI 3.1, as people write it. Programs get it as JSON.
//
//go:embed openapi.yaml
var specYAML []byte

// specJSON is made when somebody asks for it. The tests read it, so that it can be made.
var specJSON = sync.OnceValue(func() []byte {
	b, err := yaml.YAMLToJSON(specYAML)
	if err != nil {
		panic(err)
	}
	return b
})

// Spec returns the description of the API, as YAML.
func Spec() []byte { return specYAML }

func (a *Handler) specJSON(w http.ResponseWriter, _ *http.Request) {
	writeSpec(w, "application/json", specJSON())
}

func (a *Handler) specYAML(w http.ResponseWriter, _ *http.Request) {
	writeSpec(w, "application/yaml", specYAML)
}

func writeSpec(w http.ResponseWriter, contentType string, spec []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(spec) // to a client that may be gone
}
