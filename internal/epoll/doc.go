// Package epoll waits for many sockets at once with Linux's epoll(7), and reads and writes them without a goroutine for
// each. On other systems it is empty.
//
// Its type is [Poller], one for each event loop. A loop that has nothing to do parks in the Go runtime's own poller, which
// watches the epoll descriptor: it holds no thread, and wakes as fast as any goroutine does. The package knows nothing of
// what is read and written, and keeps no list of the sockets.
package epoll
