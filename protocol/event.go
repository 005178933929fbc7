package protocol

import "bytes"

// AppendEvent appends the event that carries d in a stream of Server-Sent Events: an id, where d has a position, and the
// object of the history as data, in one line. As AppendMessage it allocates only where dst is too short.
//
//	id: POSITION
//	data: {"id":ID,"position":POSITION,"scope":"hub","time":TIME,"from":{"id":ID,"name":NAME},"hub":NAME,"kind":KIND,"data":DATA}
//
// There is no position in a live room, nor where the message is not stored yet; then alone there is a scope.
func AppendEvent(dst []byte, d Delivery) []byte {
	if !d.At.IsZero() {
		dst = appendEventID(dst, d.At)
	}
	dst = append(dst, `data: {"id":`...)
	dst = appendString(dst, d.ID)
	if !d.At.IsZero() {
		dst = append(dst, `,"position":"`...)
		dst = d.At.appendText(dst)
		dst = append(dst, '"')
	}
	if d.Kept {
		dst = append(dst, `,"scope":"`+ScopeHub+`"`...)
	}
	dst = append(dst, `,"time":"`...)
	dst = d.Time.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, `","from":{"id":`...)
	dst = appendString(dst, d.From.ID)
	dst = append(dst, `,"name":`...)
	dst = appendString(dst, d.From.Name)
	dst = append(dst, `},"hub":`...)
	dst = appendString(dst, d.Hub)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, d.Kind.String()...)
	dst = append(dst, `","data":`...)
	from := len(dst)
	dst = appendData(dst, d.Kind, d.Data)
	oneLine(dst[from:])
	return append(dst, "}\n\n"...)
}

// AppendEventID appends an id alone: the client has all up to at.
func AppendEventID(dst []byte, at Position) []byte { return append(appendEventID(dst, at), '\n') }

func appendEventID(dst []byte, at Position) []byte {
	dst = append(dst, "id: "...)
	return append(at.appendText(dst), '\n')
}

// oneLine makes one line of JSON: in it line breaks are but space, as strings have none.
func oneLine(json []byte) {
	if bytes.IndexByte(json, '\n') < 0 && bytes.IndexByte(json, '\r') < 0 {
		return
	}
	for i, c := range json {
		if c == '\n' || c == '\r' {
			json[i] = ' '
		}
	}
}
