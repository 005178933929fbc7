//go:build unix && !short

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// apiSpec is the description of the HTTP API that a hub serves, and what was seen of it.
type apiSpec struct {
	t    *testing.T
	tree map[string]any
	doc  *openapi3.T
	seen map[string]bool // answers, as answers lists them
}

// readSpec asks a hub for the description of its API, and fails the test where that is none of OpenAPI 3.1.
func readSpec(t *testing.T, h *hub) *apiSpec {
	t.Helper()
	status, text, err := get(h.URL() + "/v1/openapi.json")
	if err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v", status, err)
	}
	s := &apiSpec{t: t, seen: map[string]bool{}}
	if err := json.Unmarshal(text, &s.tree); err != nil {
		t.Fatal(err)
	}
	if s.doc, err = openapi3.NewLoader().LoadFromData(text); err != nil {
		t.Fatal(err)
	}
	if err := s.doc.Validate(t.Context()); err != nil || s.doc.OpenAPI < "3.1" {
		t.Fatalf("the document is not one of OpenAPI 3.1, but of %s: %v", s.doc.OpenAPI, err)
	}
	return s
}

// fits fails the test where data, which is what, is not as the schema of this name says.
func (s *apiSpec) fits(what, schema string, data []byte) {
	s.t.Helper()
	described := s.doc.Components.Schemas[schema]
	if described == nil {
		s.t.Fatalf("there is no schema %s", schema)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		s.t.Errorf("%s: %q: %v", what, data, err)
	} else if err := described.Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		s.t.Errorf("%s: %s is not as %s is described: %v", what, data, schema, err)
	}
}

// at returns what stands in the document under names, and follows references.
func (s *apiSpec) at(node any, names ...string) any {
	for _, name := range names {
		m, _ := s.follow(node).(map[string]any)
		node = m[name]
	}
	return s.follow(node)
}

func (s *apiSpec) follow(node any) any {
	if m, ok := node.(map[string]any); ok {
		if ref, ok := m["$ref"].(string); ok {
			return s.at(s.tree, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return node
}

// members returns what stands under names by name, which may be nothing.
func (s *apiSpec) members(node any, names ...string) map[string]any {
	m, _ := s.at(node, names...).(map[string]any)
	return m
}

// answers lists each answer of each operation: its method, path and status, and the name of an example where it has any.
func (s *apiSpec) answers() (list []string) {
	for path, item := range s.members(s.tree, "paths") {
		for method, operation := range s.members(item) {
			for status, response := range s.members(operation, "responses") {
				if method == "parameters" || status == "default" {
					continue
				}
				name := strings.ToUpper(method) + " " + path + " " + status
				examples := s.examples(response)
				if len(examples) == 0 {
					list = append(list, name)
				}
				for example := range examples {
					list = append(list, name+" "+example)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// examples returns the examples of a response, by their names.
func (s *apiSpec) examples(response any) map[string]any {
	all := map[string]any{}
	for _, media := range s.members(response, "content") {
		for name, example := range s.members(media, "examples") {
			all[name] = s.at(example, "value")
		}
	}
	return all
}

// ask sends r, whose path is described as path, and compares the answer with the document: with its schema, and with the
// example of this name, where there is one. The request must be as the document wants it where valid is set, and otherwise
// must not. It returns the answer's body.
func (s *apiSpec) ask(r *http.Request, path string, status int, example string, valid bool) []byte {
	s.t.Helper()
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body) // of a string
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	answer, err := requests.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := s.body(answer)
	if err != nil {
		s.t.Fatal(err)
	}
	s.judge(r, sent, answer, body, path, status, example, valid)
	return body
}

// body reads an answer; of a stream as much as an example has.
func (s *apiSpec) body(answer *http.Response) ([]byte, error) {
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // what follows is none
	}
	if answer.Header.Get("Content-Type") != "text/event-stream" || answer.Request.Method == http.MethodHead {
		return io.ReadAll(answer.Body)
	}
	var body []byte
	for one := make([]byte, 1); !bytes.Contains(body, []byte("data: ")) || !bytes.HasSuffix(body, []byte("\n\n")); {
		if _, err := answer.Body.Read(one); err != nil {
			return body, err
		}
		body = append(body, one[0])
	}
	return body, nil
}

func (s *apiSpec) judge(r *http.Request, sent []byte, answer *http.Response, body []byte, path string, status int, example string, valid bool) {
	s.t.Helper()
	what := fmt.Sprintf("%s %s (%s)", r.Method, r.URL.RequestURI(), example)
	if answer.StatusCode != status {
		s.t.Errorf("%s: status %d: %s", what, answer.StatusCode, body)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	asked := s.input(r, path)
	if err := openapi3filter.ValidateRequest(r.Context(), asked); (err == nil) != valid {
		s.t.Errorf("%s: the request is to be right: %v, and is: %v", what, valid, err)
	}
	given := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: status, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !isJSON(answer.Header)},
	}
	if err := openapi3filter.ValidateResponse(r.Context(), given); err != nil {
		s.t.Errorf("%s: the answer is not as described: %v\n%s", what, err, body)
	}
	name := fmt.Sprintf("%s %s %d", r.Method, path, status)
	if example == "" {
		s.seen[name] = true
		return
	}
	examples := s.examples(s.at(s.tree, "paths", path, strings.ToLower(r.Method), "responses", fmt.Sprint(status)))
	if _, ok := examples[example]; !ok {
		s.t.Errorf("%s: there is no example of this name at %s, but %v", what, name, slices.Sorted(maps.Keys(examples)))
		return
	}
	var got any = string(body)
	if isJSON(answer.Header) {
		if err := json.Unmarshal(body, &got); err != nil {
			s.t.Fatalf("%s: %v", what, err)
		}
	}
	if plainly(got) != plainly(examples[example]) {
		s.t.Errorf("%s: the example %s is\n%s\nand the hub said\n%s", what, example, plainly(examples[example]), body)
	}
	s.seen[name+" "+example] = true
}

// input is r as the validator wants it.
func (s *apiSpec) input(r *http.Request, path string) *openapi3filter.RequestValidationInput {
	item := s.doc.Paths.Value(path)
	parts, names := strings.Split(r.URL.Path, "/"), map[string]string{}
	for i, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			names[strings.Trim(part, "{}")] = parts[i]
		}
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: names,
		Route: &routers.Route{Spec: s.doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		// What is not JSON is bytes, whatever its type says.
		Options: &openapi3filter.Options{
			ExcludeRequestBody: !isJSON(r.Header), SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // the hub looks at tokens
		},
	}
}

func isJSON(h http.Header) bool { return strings.HasSuffix(h.Get("Content-Type"), "json") }
