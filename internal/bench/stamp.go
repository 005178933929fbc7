package bench

import "encoding/binary"

// Each message begins with a stamp, 16 digits of 6 bits in letters, digits, - and _, the highest first:
//
//	2 digits   the run, so that what another left in a room is not counted
//	3 digits   the publisher's number
//	5 digits   the message's number among that publisher's, from 0
//	6 digits   when it was to be sent, in units of 256 ns since the run's base
//
// It is text that needs no escapes in JSON, and a key as hub.v1 has them. What is left of the message is filled up.
const (
	stampSize = 16

	runDigits, publisherDigits, numberDigits, timeDigits = 2, 3, 5, 6

	timeShift = 8 // 256 ns

	maxRun        = 1<<(6*runDigits) - 1
	maxPublishers = 1 << (6 * publisherDigits)
	maxNumber     = 1<<(6*numberDigits) - 1
	maxTime       = (1<<(6*timeDigits) - 1) << timeShift // ns, nearly five hours
)

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// values has the value of each digit, and notDigit for all else.
var values = func() (v [256]uint8) {
	for i := range v {
		v[i] = notDigit
	}
	for i := range len(digits) {
		v[digits[i]] = uint8(i)
	}
	return v
}()

const notDigit = 0x80

// stamp is what stands at the beginning of a message.
type stamp struct {
	publisher int
	number    uint32
	at        int64 // ns since the run's base, rounded down
}

// put writes the stamp of a run to the beginning of b.
func (s stamp) put(b []byte, run uint32) {
	_ = b[stampSize-1]
	putDigits(b[:2], uint64(run))
	putDigits(b[2:5], uint64(s.publisher))
	putDigits(b[5:10], uint64(s.number))
	putDigits(b[10:16], uint64(s.at)>>timeShift)
}

func putDigits(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[v&63]
		v >>= 6
	}
}

// readStamp reads the stamp at the beginning of b. ok is false where there is none, or that of another run.
func readStamp(b []byte, run uint16) (s stamp, ok bool) {
	if len(b) < stampSize || binary.LittleEndian.Uint16(b) != run {
		return s, false
	}
	var bad uint8
	var publisher, number, at uint64
	for _, c := range b[2:5] {
		v := values[c]
		bad |= v
		publisher = publisher<<6 | uint64(v&63)
	}
	for _, c := range b[5:10] {
		v := values[c]
		bad |= v
		number = number<<6 | uint64(v&63)
	}
	for _, c := range b[10:16] {
		v := values[c]
		bad |= v
		at = at<<6 | uint64(v&63)
	}
	return stamp{int(publisher), uint32(number), int64(at << timeShift)}, bad&notDigit == 0
}

// runMark returns the digits of a run as readStamp compares them.
func runMark(run uint32) uint16 {
	var b [runDigits]byte
	putDigits(b[:], uint64(run))
	return binary.LittleEndian.Uint16(b[:])
}
