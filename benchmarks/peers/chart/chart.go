// Package chart draws bars and lines as SVG that can be read on light and on dark pages: a chart brings its own ground,
// and follows what the reader's system prefers.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// Kind is what a bar stands for, which its colour shows.
type Kind string

// The kinds.
const (
	Own       Kind = "own"
	Yardstick Kind = "yardstick"
	Other     Kind = "other"
)

// Sizes, in the units of the SVG, which are pixels at its natural size.
const (
	width  = 760
	margin = 20
	head   = 56 // title above
	font   = 13
)

const style = `<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #59636e }
.ground { fill: #fff; stroke: #d1d9e0 }
.grid { stroke: #d1d9e0 }
.own { fill: #0969da } .yardstick { fill: #6e7781 } .other { fill: #bf8700 }
.second { opacity: .5 }
.path { fill: none; stroke: #0969da; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .grid { stroke: #3d444d }
  .own { fill: #4493f8 } .yardstick { fill: #9198a1 } .other { fill: #d29922 }
  .path { stroke: #4493f8 }
}
</style>
`

// canvas is an SVG that is being drawn.
type canvas struct{ bytes.Buffer }

func begin(title string, height int) *canvas {
	c := &canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n",
		width, height, width, height)
	fmt.Fprintf(c, "<title>%s</title>\n%s", html.EscapeString(title), style)
	fmt.Fprintf(c, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="6"/>`+"\n", width-1, height-1)
	c.text(margin, 30, "start", "title", title)
	return c
}

func (c *canvas) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

func (c *canvas) rect(x, y, w, h float64, class string) {
	fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" class="%s"/>`+"\n", x, y, w, h, class)
}

func (c *canvas) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="grid"/>`+"\n", x1, y1, x2, y2)
}

func (c *canvas) end() []byte {
	c.WriteString("</svg>\n")
	return c.Bytes()
}

// step returns the distance of about four marks from 0 to most: 1, 2 or 5 times a power of ten.
func step(most float64) float64 {
	if most <= 0 {
		return 1
	}
	raw := most / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power*1.0001 {
			return m * power
		}
	}
	return 10 * power
}
