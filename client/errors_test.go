package client

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestErrorTexts(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&Refused{Code: "bad_room", Message: "no such name"}, "refused: no such name (bad_room)"},
		{
			&Refused{Code: "bad_room", Message: "no such name", Fix: "take another"},
			"refused: no such name (bad_room): take another",
		},
		{&CloseError{Code: 4001}, "the hub closed the connection with 4001"},
		{&CloseError{Code: 4001, Reason: "going"}, "the hub closed the connection with 4001: going"},
		{&Gap{Dropped: 2}, "messages dropped, as they were read too slowly: 2"},
		{&Gap{Away: 1234567 * time.Microsecond}, "not connected for 1.235s, messages may have been missed"},
		{&Gap{Away: time.Second, Dropped: 1},
			"not connected for 1s, messages may have been missed; messages dropped, as they were read too slowly: 1"},
		{&Gap{Lost: 3}, "the room's log lost its end, and with it the last messages that came: 3"},
		{&Gap{Reset: true},
			"the room's log does not go on from here: messages were missed, and some may come again"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	// Whoever looks for another error first must not take a gap for it: the range goes on.
	gap := &Gap{Away: time.Second, Cause: &CloseError{Code: 4001}}
	if _, ok := errors.AsType[*CloseError](error(gap)); ok {
		t.Error("a gap is taken for its cause")
	}
}

func TestErrorsIs(t *testing.T) {
	all := []error{ErrRefused, ErrToken, ErrDisplaced, ErrUnreachable, ErrUnknown, ErrBusy, ErrClosed}
	for _, tt := range []struct {
		err  error
		want []error
	}{
		{&Refused{Code: protocol.ErrBadRoom}, []error{ErrRefused}},
		{&Refused{Code: protocol.ErrBadToken}, []error{ErrRefused, ErrToken}},
		{&Refused{Code: protocol.ErrTokenRequired}, []error{ErrRefused, ErrToken}},
		{&Refused{Code: protocol.ErrTokenExpired}, []error{ErrRefused, ErrToken}},
		{&CloseError{Code: protocol.CodeDraining}, nil},
		{&CloseError{Code: protocol.CodeExpired}, []error{ErrToken}},
		{&CloseError{Code: protocol.CodeBadToken}, []error{ErrRefused, ErrToken}},
		{&CloseError{Code: protocol.CodeBadRequest}, []error{ErrRefused}},
		{&CloseError{Code: protocol.CodeDisplaced}, []error{ErrRefused, ErrDisplaced}},
	} {
		err := fmt.Errorf("do something: %w", tt.err)
		for _, target := range all {
			if got, want := errors.Is(err, target), slices.Contains(tt.want, target); got != want {
				t.Errorf("%v is %q: %v", err, target, got)
			}
		}
	}
}
