package protocol

import "fmt"

const (
	// DefaultRoom is where a plain session is that names no room.
	DefaultRoom = "lobby"
	// MaxRoomName is the most bytes that the name of a room has.
	MaxRoomName = 128
	// MaxKey is the most bytes that the key of a publication has.
	MaxKey = 128
	// MaxName is the most bytes that the name of a client has. It is a label, and cut rather than refused.
	MaxName = 128
)

// CheckRoom returns nil if name can be the name of a room: 1 to 128 of A-Z a-z 0-9 . _ : -
func CheckRoom(name string) error {
	if name == "" {
		return fmt.Errorf("the name of the room is empty")
	}
	if len(name) > MaxRoomName {
		return fmt.Errorf("the name of the room has %d bytes, more than %d", len(name), MaxRoomName)
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '_' && c != ':' && c != '-' {
			return fmt.Errorf("the name of the room has %q at byte %d", name[i:i+1], i)
		}
	}
	return nil
}

// RoomRule says in words what [CheckRoom] checks: the fix that an error names.
const RoomRule = "a room's name is 1 to 128 of A-Z a-z 0-9 . _ : -"

// CheckKey returns nil if key can be the key of a publication: 1 to 128 visible ASCII characters.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("the key has %d bytes", len(key))
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fmt.Errorf("the key has %q at byte %d", key[i:i+1], i)
		}
	}
	return nil
}

// KeyRule says in words what [CheckKey] checks.
const KeyRule = "a key is 1 to 128 visible ASCII characters, no space"
