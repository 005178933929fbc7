package bench

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Assertion is a bound on one figure of a result.
type Assertion struct {
	text   string
	figure func(*Result) (float64, bool) // ok is false where the test has none
	time   bool                          // the figure is ns
	op     string
	bound  float64
}

// Verdict is what an assertion found.
type Verdict struct {
	Assertion string `json:"assertion"`
	Found     string `json:"found"` // the figure, or that there is none
	OK        bool   `json:"ok"`
}

// operators are what stands between a figure and its bound. The longer come first.
var operators = []string{"<=", ">=", "==", "<", ">", "="}

// ParseAssertion reads an assertion: a figure, an operator and a bound, as in p99<10ms, lost=0 or
// deliveries_per_second>=2M. Its error says what would be right.
func ParseAssertion(text string) (*Assertion, error) {
	at := strings.IndexAny(text, "<>=")
	if at < 0 {
		return nil, errors.New("no comparison → for instance p99<10ms or lost=0")
	}
	a := &Assertion{text: text}
	name, rest := strings.TrimSpace(text[:at]), text[at:]
	for _, op := range operators {
		if bound, ok := strings.CutPrefix(rest, op); ok {
			a.op, rest = op, strings.TrimSpace(bound)
			break
		}
	}
	if a.figure, a.time = timeFigure(name); a.figure == nil {
		if a.figure = figures[name]; a.figure == nil {
			return nil, fmt.Errorf("there is no figure %q → p50, p99.9 and so on, min, mean, max, the same with ack_ before them, connect, %s",
				name, strings.Join(slices.Sorted(maps.Keys(figures)), ", "))
		}
	}
	if a.time {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return nil, fmt.Errorf("%q is not a time → it has a unit, for instance %s%s10ms", rest, name, a.op)
		}
		a.bound = float64(d)
		return a, nil
	}
	unit := 1.0
	number := rest
	for suffix, value := range map[string]float64{"k": 1e3, "M": 1e6} {
		if n, ok := strings.CutSuffix(rest, suffix); ok {
			number, unit = n, value
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number → for instance %s%s1000, or 50k or 2M", rest, name, a.op)
	}
	a.bound = n * unit
	return a, nil
}

// timeFigure returns the figure called name if it is a time, and nil otherwise.
func timeFigure(name string) (figure func(*Result) (float64, bool), ok bool) {
	if name == "connect" {
		return func(r *Result) (float64, bool) { return r.Connect.Seconds * float64(time.Second), true }, true
	}
	which := func(r *Result) *Latency {
		if r.Load == nil || r.Load.Latency.Count == 0 {
			return nil
		}
		return &r.Load.Latency
	}
	name, ack := strings.CutPrefix(name, "ack_")
	if ack {
		which = func(r *Result) *Latency {
			if r.Load == nil {
				return nil
			}
			return r.Load.AckLatency
		}
	}
	var of func(*Latency) time.Duration
	switch name {
	case "min":
		of = func(l *Latency) time.Duration { return l.Min }
	case "mean":
		of = func(l *Latency) time.Duration { return l.Mean }
	case "max":
		of = func(l *Latency) time.Duration { return l.Max }
	default:
		percent, isPercentile := strings.CutPrefix(name, "p")
		n, err := strconv.ParseFloat(percent, 64)
		if !isPercentile || err != nil || !(0 < n && n <= 100) {
			return nil, false
		}
		of = func(l *Latency) time.Duration { return l.quantile(n / 100) }
	}
	return func(r *Result) (float64, bool) {
		l := which(r)
		if l == nil {
			return 0, false
		}
		return float64(of(l)), true
	}, true
}

// ofLoad returns the figure that get has of a load.
func ofLoad(get func(*Load) float64) func(*Result) (float64, bool) {
	return func(r *Result) (float64, bool) {
		if r.Load == nil {
			return 0, false
		}
		return get(r.Load), true
	}
}

// figures are those that are not times.
var figures = map[string]func(*Result) (float64, bool){
	"lost":                  ofLoad(func(l *Load) float64 { return float64(l.Lost) }),
	"duplicates":            ofLoad(func(l *Load) float64 { return float64(l.Duplicates) }),
	"out_of_order":          ofLoad(func(l *Load) float64 { return float64(l.OutOfOrder) }),
	"echoed":                ofLoad(func(l *Load) float64 { return float64(l.Echoed) }),
	"resets":                ofLoad(func(l *Load) float64 { return float64(l.Resets) }),
	"strange":               ofLoad(func(l *Load) float64 { return float64(l.Strange) }),
	"unsent":                ofLoad(func(l *Load) float64 { return float64(l.Unsent) }),
	"published":             ofLoad(func(l *Load) float64 { return float64(l.Published) }),
	"deliveries":            ofLoad(func(l *Load) float64 { return float64(l.Deliveries) }),
	"published_per_second":  ofLoad(func(l *Load) float64 { return l.PublishedPerSecond }),
	"deliveries_per_second": ofLoad(func(l *Load) float64 { return l.DeliveriesPerSecond }),

	"connections_ended":      func(r *Result) (float64, bool) { return float64(r.Closed.Count), true },
	"connections_per_second": func(r *Result) (float64, bool) { return r.Connect.PerSecond, true },
	"hub_cores":              func(r *Result) (float64, bool) { return r.Hubs.Cores, r.Hubs.Known },
	"bytes_per_connection": func(r *Result) (float64, bool) {
		if r.Idle == nil || r.Idle.BytesPerConnection == nil {
			return 0, false
		}
		return *r.Idle.BytesPerConnection, true
	},
}

// Check looks at r. What r does not have fails: an assertion that cannot be looked at must not pass for one that holds.
func (a *Assertion) Check(r *Result) Verdict {
	v := Verdict{Assertion: a.text, Found: "unknown"}
	n, ok := a.figure(r)
	if !ok {
		return v
	}
	v.Found = strconv.FormatFloat(n, 'f', -1, 64)
	if a.time {
		v.Found = time.Duration(n).String()
	}
	switch a.op {
	case "<":
		v.OK = n < a.bound
	case "<=":
		v.OK = n <= a.bound
	case ">":
		v.OK = n > a.bound
	case ">=":
		v.OK = n >= a.bound
	default:
		v.OK = n == a.bound
	}
	return v
}
