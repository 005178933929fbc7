package chart

import (
	"fmt"
	"strings"
)

// Line is a chart of one value over steps that stand at equal distances.
type Line struct {
	Title  string
	X, Y   string // what is along, and what is up
	Points []Point
	Format func(float64) string
}

// Point is one of them.
type Point struct {
	X string
	Y float64
}

// SVG draws the chart.
func (l Line) SVG() []byte {
	const (
		height = 320
		left   = margin + 60
		right  = width - margin - 30
		top    = head + 14
		bottom = height - margin - 40
	)
	c := begin(l.Title, height)
	most := 0.0
	for _, p := range l.Points {
		most = max(most, p.Y)
	}
	mark := step(most)
	marks := 1
	for float64(marks)*mark < most {
		marks++
	}
	y := func(v float64) float64 { return bottom - (bottom-top)*v/(mark*float64(marks)) }
	for i := range marks + 1 {
		v := mark * float64(i)
		c.line(left, y(v), right, y(v))
		c.text(left-8, y(v)+4, "end", "quiet", l.Format(v))
	}
	x := func(i int) float64 {
		return left + 30 + float64(right-left-60)*float64(i)/float64(max(len(l.Points)-1, 1))
	}
	var path strings.Builder
	for i, p := range l.Points {
		fmt.Fprintf(&path, "%.1f,%.1f ", x(i), y(p.Y))
	}
	fmt.Fprintf(c, `<polyline class="path" points="%s"/>`+"\n", path.String())
	for i, p := range l.Points {
		fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="4" class="own"/>`+"\n", x(i), y(p.Y))
		c.text(x(i), y(p.Y)-10, "middle", "", l.Format(p.Y))
		c.text(x(i), bottom+20, "middle", "quiet", p.X)
	}
	c.text((left+right)/2, height-margin, "middle", "quiet", l.X)
	c.text(width-margin, 30, "end", "quiet", l.Y)
	return c.end()
}
