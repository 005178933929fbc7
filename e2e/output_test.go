package e2e

import (
	"bytes"
	"fmt"
	"sync"
)

// output keeps what a process prints, the first and the last of it where that is much.
type output struct {
	mu   sync.Mutex
	head bytes.Buffer // guarded by mu
	tail []byte       // guarded by mu
	cut  int          // bytes between them; guarded by mu
}

// outputPart bounds head and tail each.
const outputPart = 256 << 10

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(b), outputPart-o.head.Len())
	o.head.Write(b[:n])
	o.tail = append(o.tail, b[n:]...)
	if over := len(o.tail) - outputPart; over > 0 {
		o.tail = append(o.tail[:0], o.tail[over:]...)
		o.cut += over
	}
	return len(b), nil
}

// String returns what was printed.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cut > 0 {
		return fmt.Sprintf("%s\n… %d bytes …\n%s", o.head.Bytes(), o.cut, o.tail)
	}
	return o.head.String() + string(o.tail)
}
