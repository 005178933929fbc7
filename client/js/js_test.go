package js

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// TestSize keeps the promise of at most 5 kB, compressed as servers and registries do, of the module as it stands.
func TestSize(t *testing.T) {
	const most = 5000
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(Module)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len() > most {
		t.Errorf("the module is %d bytes in gzip, more than %d", b.Len(), most)
	}
	t.Logf("the module is %d bytes in gzip", b.Len())
}
