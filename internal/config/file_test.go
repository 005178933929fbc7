package config

import "testing"

// FuzzLoadYAML looks for files that break the loader, and for values that it takes although they are not valid.
func FuzzLoadYAML(f *testing.F) {
	for _, c := range Commands() {
		f.Add([]byte(Template(c.Name, c.New())))
	}
	for _, text := range []string{
		"listen: 127.0.0.1:1\nlog:\n  level: debug\n", "hub: [http://a, http://b]", "log: &a {level: info}\nx: *a",
		"<<: {name: a}", "? name\n: b", "name: |\n  text\n", "a: !!str b", "- a", "{", "\t", "name: \"\\x\"", "---\n---\n", "%YAML 1.2\n---\nname: a",
		"rooms: [{match: 'a*', kind: live}, {match: '*', history: 1, ttl: 1s}]", "rooms:\n- match: *\n", "rooms: [[{}], ~]",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > maxFile {
			return
		}
		for _, c := range Commands() {
			l := NewLoader(c.New())
			for _, err := range l.loadYAML("fuzz.yaml", text) {
				if err.Error() == "" {
					t.Error("an error without a text")
				}
			}
			if err := l.config.Validate(); err != nil {
				Each(err, l.locate)
			}
			for _, v := range l.Values() {
				if v.Source.Origin > FromFile {
					t.Errorf("%s comes from %v", v.Key, v.Source)
				}
			}
		}
	})
}
