package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestSpecRoutes compares the addresses that are served with those that are described: all of them are, and what is
// described beside them is of others.
func TestSpecRoutes(t *testing.T) {
	var spec struct {
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(Spec(), &spec); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range spec.Paths {
		for method := range item {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	for _, r := range new(Handler).routes(Options{}) {
		for method := range r.handlers {
			if name := method + " " + r.path; !described[name] {
				t.Errorf("%s is not described in openapi.yaml", name)
			} else {
				delete(described, name)
			}
		}
	}
	var rest []string
	for name := range described {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	if want := "GET /metrics, GET /ws"; strings.Join(rest, ", ") != want {
		t.Errorf("described beside what is served here: %v, want %s", rest, want)
	}
}

// TestSpecJSON shows that the description is JSON in the order in which it was written.
func TestSpecJSON(t *testing.T) {
	a := New(Options{Events: http.NotFound, StatsEvents: http.NotFound})
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "/v1/openapi.json", nil))
	body := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%d %v %.200s", w.Code, w.Header(), body)
	}
	if !strings.HasPrefix(body, `{"openapi": "3.1`) && !strings.HasPrefix(body, `{"openapi":"3.1`) {
		t.Errorf("it begins with %.100s", body)
	}
	if strings.Index(body, `"/v1/rooms/{room}/messages"`) > strings.Index(body, `"/readyz"`) {
		t.Error("the addresses are in another order")
	}
}
