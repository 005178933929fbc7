package ws

import (
	"testing"
	"unsafe"
)

// TestConnIsSmall has what an idle connection keeps here fit into 256 bytes, a size that the allocator has.
func TestConnIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(conn{}); n > 256 {
		t.Errorf("a connection has %d bytes", n)
	}
}
