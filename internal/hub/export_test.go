package hub

// RoomsKept returns how many rooms the hub knows.
func (h *Hub) RoomsKept() (n int) {
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		n += len(st.rooms)
		st.mu.Unlock()
	}
	return n
}

// SecretOf returns what the client with this id shows.
func (h *Hub) SecretOf(id string) string { return h.credentials(id, "").Secret }
