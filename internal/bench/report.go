package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text returns the result for people, of several lines: first what was asked for and what came of it.
func (r *Result) Text() string {
	var b strings.Builder
	if r.Idle != nil {
		r.idleText(&b)
	} else {
		r.loadText(&b)
	}
	usageText(&b, "hubs", r.Hubs)
	if r.Load != nil && r.Hubs.Known && r.Load.Deliveries > 0 {
		fmt.Fprintf(&b, "; %.2f CPU s a million deliveries", r.Hubs.CPUSeconds/float64(r.Load.Deliveries)*1e6)
	}
	b.WriteByte('\n')
	usageText(&b, "generator", r.Own)
	if r.Limits.Busy >= 0 {
		fmt.Fprintf(&b, "; its loop was busy %.0f %% of the time", 100*r.Limits.Busy)
	}
	if r.Limits.LateMax > 0 {
		fmt.Fprintf(&b, "; messages went out late by p99 %v, at most %v", round(r.Limits.LateP99), round(r.Limits.LateMax))
	}
	b.WriteByte('\n')
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "\nBeware: %s\n", w)
	}
	if len(r.Verdicts) > 0 {
		b.WriteByte('\n')
	}
	for _, v := range r.Verdicts {
		word := "holds "
		if !v.OK {
			word = "FAILED"
		}
		fmt.Fprintf(&b, "%s  %s: %s\n", word, v.Assertion, v.Found)
	}
	return b.String()
}

// loadText writes what became of the messages.
func (r *Result) loadText(b *strings.Builder) {
	t, l := &r.Test, r.Load
	fmt.Fprintf(b, "Offered: %s, %s each, by %s to %s in %s for %s.\n", r.offer(), plural(t.Size, "byte"),
		plural(t.Publishers, "publisher"), plural(t.Conns, "connection"), plural(t.Rooms, "room"), seconds(l.Seconds))
	fmt.Fprintf(b, "Delivered: %s deliveries/s; %s.\n", group(l.DeliveriesPerSecond), l.fate())
	if l.Latency.Count > 0 {
		from := "the planned send time"
		if t.Rate == 0 {
			from = "sending"
		}
		fmt.Fprintf(b, "\nLatency from %s to the subscriber, %s deliveries\n", from, group(float64(l.Latency.Count)))
		bars(b, l.Latency)
		percentiles(b, l.Latency)
	}
	if a := l.AckLatency; a != nil {
		fmt.Fprintf(b, "\nLatency to the acknowledgement, %s of scope %s\n", group(float64(a.Count)), scopes(l.Acks))
		percentiles(b, *a)
	}
	b.WriteByte('\n')
	line(b, "published", "%s messages/s, %s in all with the warm-up", group(l.PublishedPerSecond), group(float64(l.PublishedTotal)))
	line(b, "deliveries", "%s/s, %s of %s in all", group(l.DeliveriesPerSecond), group(float64(l.Delivered)), group(float64(l.Expected)))
	lost := group(float64(l.Lost))
	if l.ToldLost > 0 {
		lost += fmt.Sprintf(" (the hub told of %s)", group(float64(l.ToldLost)))
	}
	line(b, "lost", "%s, doubled %s, out of order %s", lost, group(float64(l.Duplicates)), group(float64(l.OutOfOrder)))
	if l.Resets > 0 {
		line(b, "resets", "%s: so often the hub said that messages of a log are missing", group(float64(l.Resets)))
	}
	if len(l.Refused) > 0 {
		line(b, "refused", "%s", scopes(l.Refused))
	}
	if l.Deliveries > 0 && l.Reads > 0 {
		line(b, "bytes", "%s/s in, %.0f a delivery, %.1f deliveries a read; %s/s out", size(float64(l.BytesIn)/l.Seconds),
			float64(l.BytesIn)/float64(l.Deliveries), float64(l.Deliveries)/float64(l.Reads), size(float64(l.BytesOut)/l.Seconds))
	}
	r.connectText(b)
}

func (r *Result) connectText(b *strings.Builder) {
	line(b, "connected", "%s in %s, %s/s", group(float64(r.Test.Conns)), seconds(r.Connect.Seconds), group(r.Connect.PerSecond))
}

// offer returns what the publishers were to do.
func (r *Result) offer() string {
	switch {
	case r.Test.Window > 0:
		return plural(r.Test.Window, "message") + " on their way at any time"
	case r.Test.Rate > 0:
		return group(r.Test.Rate) + " messages/s"
	}
	return group(r.Load.PublishedPerSecond) + " messages/s, as fast as they went"
}

// fate returns in words what became of the messages.
func (l *Load) fate() string {
	var wrong []string
	for _, w := range []struct {
		n    uint64
		what string
	}{{l.Lost, "lost"}, {l.Duplicates, "doubled"}, {l.OutOfOrder, "out of order"}} {
		if w.n > 0 {
			wrong = append(wrong, fmt.Sprintf("%s %s", group(float64(w.n)), w.what))
		}
	}
	switch {
	case l.Expected == 0:
		return "there was nobody to deliver to"
	case len(wrong) == 0:
		return "nothing lost, doubled or out of order"
	}
	if l.Lost > 0 {
		wrong[0] += fmt.Sprintf(" (%.2f %%)", 100*float64(l.Lost)/float64(l.Expected))
	}
	return strings.Join(wrong, ", ")
}

// idleText writes what connections cost that do nothing.
func (r *Result) idleText(b *strings.Builder) {
	fmt.Fprintf(b, "Held %s for %s: ", plural(r.Test.Conns, "idle connection"), seconds(r.Idle.Seconds))
	if r.Idle.BytesPerConnection == nil {
		b.WriteString("what memory they take is unknown, as the hub's process could not be looked at.\n")
	} else {
		fmt.Fprintf(b, "%s of hub memory for each.\n\n", size(*r.Idle.BytesPerConnection))
		for _, s := range r.Idle.Samples {
			fmt.Fprintf(b, "  %10s connections  %10s\n", group(float64(s.Conns)), size(float64(s.Bytes)))
		}
	}
	b.WriteByte('\n')
	line(b, "pings", "%s of the hub, each answered", group(float64(r.Idle.Pings)))
	r.connectText(b)
}

// line writes one figure.
func line(b *strings.Builder, name, format string, args ...any) {
	fmt.Fprintf(b, "  %-11s "+format+"\n", append([]any{name}, args...)...)
}

// usageText writes what processes took, without the end of the line.
func usageText(b *strings.Builder, name string, u Usage) {
	if !u.Known {
		fmt.Fprintf(b, "  %-11s CPU unknown", name)
		return
	}
	fmt.Fprintf(b, "  %-11s %.2f CPU s, %.0f %% of a core", name, u.CPUSeconds, 100*u.Cores)
	if u.RSS > 0 {
		fmt.Fprintf(b, "; %s", size(float64(u.RSS)))
	}
	if u.Starved > 0 {
		fmt.Fprintf(b, "; %.2f s without a core", u.Starved)
	}
}

func percentiles(b *strings.Builder, l Latency) {
	fmt.Fprintf(b, "  p50 %v   p90 %v   p99 %v   p99.9 %v   max %v\n", round(l.P50), round(l.P90), round(l.P99), round(l.P999), round(l.Max))
}

// barWidth is how many columns the longest bar takes.
const barWidth = 40

// bars writes a histogram, whose rows end at 1, 2 and 5 times the powers of ten.
func bars(b *strings.Builder, l Latency) {
	type row struct {
		from, to time.Duration
		count    uint64
	}
	var rows []row
	from, most := time.Duration(0), uint64(0)
	for to := range edges {
		r := row{from: from, to: to}
		for _, bucket := range l.Buckets {
			if middle := bucket.From + (bucket.To-bucket.From)/2; from <= middle && middle < to {
				r.count += bucket.Count
			}
		}
		if from = to; r.count > 0 || len(rows) > 0 {
			rows = append(rows, r)
			most = max(most, r.count)
		}
		if to > l.Max {
			break
		}
	}
	for _, r := range rows {
		eighths := int(r.count * barWidth * 8 / most)
		bar := strings.Repeat("█", eighths/8)
		if rest := eighths % 8; rest > 0 {
			bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
		}
		width := barWidth - len([]rune(bar))
		fmt.Fprintf(b, "  %7v – %-6v %s%s %7.3f %%\n", r.from, r.to, bar, strings.Repeat(" ", width), 100*float64(r.count)/float64(l.Count))
	}
}

// edges yields 1, 2 and 5 times the powers of ten, from 1 µs on.
func edges(yield func(time.Duration) bool) {
	for unit := time.Microsecond; unit < time.Duration(1)<<maxBits; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if !yield(n * unit) {
				return
			}
		}
	}
}

// group returns n in digits with commas between the thousands, and without a fraction from 10 on.
func group(n float64) string {
	if n != float64(int64(n)) && n < 10 {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return group(float64(n)) + " " + what + "s"
}

func seconds(s float64) string { return strconv.FormatFloat(math.Round(s*100)/100, 'f', -1, 64) + " s" }

// size returns a number of bytes for people.
func size(n float64) string {
	for _, u := range []struct {
		unit float64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.unit {
			return strconv.FormatFloat(n/u.unit, 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatFloat(n, 'f', 0, 64) + " B"
}

// scopes returns counts by name.
func scopes(m map[string]uint64) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, fmt.Sprintf("%s (%s)", name, group(float64(n))))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// quantile returns the time of a rank out of the buckets, as Histogram.Quantile does.
func (l *Latency) quantile(q float64) time.Duration {
	rank := rankOf(q, l.Count)
	var seen uint64
	for _, b := range l.Buckets {
		if seen += b.Count; seen >= rank {
			return max(min((b.From+b.To-1)/2, l.Max), l.Min)
		}
	}
	return l.Max
}
