package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The types that keys have beyond Go's own.
var (
	bytesType    = reflect.TypeFor[Bytes]()
	durationType = reflect.TypeFor[time.Duration]()
)

// durationRule says in words what a duration looks like.
const durationRule = "a duration is a number with a unit, for instance 500ms, 10s or 1m30s"

// parse returns the value of type t that text stands for, wherever text came from. Its errors have no key yet.
func parse(t reflect.Type, text string) (reflect.Value, *Error) {
	v := reflect.New(t).Elem()
	switch t {
	case durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			return v, badDuration(text)
		}
		v.SetInt(int64(d))
		return v, nil
	case bytesType:
		b, err := ParseBytes(text)
		if err != nil {
			return v, &Error{What: err.Error(), Fix: bytesRule}
		}
		v.SetInt(int64(b))
		return v, nil
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return v, &Error{What: "neither yes nor no", Fix: "say true or false"}
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return v, &Error{What: "not a whole number", Fix: "say it in digits"}
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		v.Set(reflect.ValueOf(splitList(text)))
	default:
		panic("no rule for a key of type " + t.String())
	}
	return v, nil
}

// badDuration returns the error for text, which is no duration. A bare number is the usual mistake.
func badDuration(text string) *Error {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return &Error{What: "no unit", Fix: "did you mean " + text + "s ?"}
	}
	return &Error{What: "not a duration", Fix: durationRule}
}

// splitList returns what stands between the commas of text, without the blanks around it. What is empty is left out.
func splitList(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// format returns v as parse reads it.
func format(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case []string:
		return strings.Join(x, ",")
	case []Room:
		return formatRooms(x)
	case time.Duration:
		return formatDuration(x)
	case interface{ String() string }:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	}
	return v.String()
}

// formatDuration returns d without the units at its end that are zero: 1h, not 1h0m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// typeName returns what help calls the type of a value.
func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == bytesType:
		return "size"
	case t == roomsType:
		return "groups"
	case t.Kind() == reflect.Slice:
		return "strings"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int:
		return "number"
	}
	return "text"
}
