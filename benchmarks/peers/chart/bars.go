package chart

// Bars is a chart of horizontal bars, one row for each name.
type Bars struct {
	Title  string
	Unit   string
	Series []string // titles of the bars in a row; at most two
	Rows   []Row
	Format func(float64) string
}

// Row is one name and its bars; a nil value has none.
type Row struct {
	Name   string
	Kind   Kind
	Values []*float64
}

const (
	bar      = 16 // height
	rowGap   = 10
	names    = 252 // width of the names
	valueGap = 74  // for the number behind the longest bar
)

// SVG draws the chart.
func (b Bars) SVG() []byte {
	row := float64(bar*len(b.Series) + rowGap)
	top, left := float64(head), float64(margin+names)
	if len(b.Series) > 1 {
		top += 24
	}
	height := int(top + row*float64(len(b.Rows)) + margin)
	c := begin(b.Title, height)
	if len(b.Series) > 1 {
		x := left
		for i, name := range b.Series {
			c.rect(x, head-10, 12, 12, string(Own)+second(i))
			c.text(x+18, head+1, "start", "quiet", name)
			x += 40 + 7.2*float64(len(name))
		}
	}
	most := 0.0
	for _, r := range b.Rows {
		for _, v := range r.Values {
			if v != nil {
				most = max(most, *v)
			}
		}
	}
	scale := (width - left - margin - valueGap) / max(most, 1e-9)
	for i, r := range b.Rows {
		y := top + row*float64(i)
		c.text(left-10, y+float64(bar*len(b.Series))/2+font/2-2, "end", "", r.Name)
		for j, v := range r.Values {
			if v == nil {
				continue
			}
			at, length := y+float64(bar*j), max(*v*scale, 1)
			c.rect(left, at+1, length, bar-2, string(r.Kind)+second(j))
			c.text(left+length+6, at+bar/2+font/2-2, "start", "", b.Format(*v))
		}
	}
	c.text(width-margin, 30, "end", "quiet", b.Unit)
	return c.end()
}

// second returns the class of all but the first bar of a row.
func second(i int) string {
	if i > 0 {
		return " second"
	}
	return ""
}
