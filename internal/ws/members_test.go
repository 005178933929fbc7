package ws

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// TestMembers has connections enter, leave, and be attached and detached at random, and compares with a simple model.
func TestMembers(t *testing.T) {
	const rooms, conns = 3, 8
	rng := rand.New(rand.NewPCG(1, 2))
	s := newTestServer(t, Options{}).shards[0]
	all := make([]*conn, conns)
	for i := range all {
		all[i] = &conn{speaks: encoding(i % int(encodings))}
	}
	type place struct {
		room string
		conn int
	}
	model := make(map[place]bool) // whether attached, of those who are in
	for step := range 20_000 {
		p := place{strconv.Itoa(rng.IntN(rooms)), rng.IntN(conns)}
		c := all[p.conn]
		_, in := model[p]
		switch n := rng.IntN(4); {
		case n == 0 && !in:
			model[p] = rng.IntN(2) == 0
			s.join(c, p.room, model[p])
		case n == 1:
			s.leave(c, p.room)
			delete(model, p)
		case n == 2:
			if s.attach(c, p.room) != in {
				t.Fatalf("step %d: attach says %v", step, !in)
			}
			if in {
				model[p] = true
			}
		case n == 3:
			s.detach(c, p.room)
			if in {
				model[p] = false
			}
		}
		for room := range rooms {
			name := strconv.Itoa(room)
			var attached, behind []int
			for i := range conns {
				if is, in := model[place{name, i}]; in && is {
					attached = append(attached, i)
				} else if in {
					behind = append(behind, i)
				}
			}
			compare(t, step, s.rooms[name], all, attached, behind)
		}
	}
}

func compare(t *testing.T, step int, m *members, all []*conn, attached, behind []int) {
	t.Helper()
	if m == nil {
		if len(attached)+len(behind) > 0 {
			t.Fatalf("step %d: a room with members is gone", step)
		}
		return
	}
	numbers := func(conns []*conn) (list []int) {
		for _, c := range conns {
			list = append(list, slices.Index(all, c))
		}
		slices.Sort(list)
		return list
	}
	var speak [encodings]int
	speakV1 := 0
	for i, c := range m.conns {
		if ms := m.of(c); ms.index != i {
			t.Fatalf("step %d: a member at %d takes itself to be at %d", step, i, ms.index)
		}
		if c.speaks == v1 {
			speakV1++
		}
		if i < m.attached {
			speak[c.speaks]++
		}
	}
	if len(m.conns) == 0 || speak != m.speak || speakV1 != m.v1 ||
		!slices.Equal(numbers(m.conns[:m.attached]), attached) || !slices.Equal(numbers(m.conns[m.attached:]), behind) {
		t.Fatalf("step %d: %+v, want attached %v, behind %v", step, m, attached, behind)
	}
}
