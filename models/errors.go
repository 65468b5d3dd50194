package models

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of refusal. Every refusal wraps one of them, and handlers give each kind its status.
var (
	// ErrNotFound is also what a person is told who may not see a thing.
	ErrNotFound = errors.New("not found")
	// ErrGone is for what was public once.
	ErrGone = errors.New("gone")
	// ErrForbidden is for a missing step-up or a cross-site request, never for another's object.
	ErrForbidden = errors.New("forbidden")
	// ErrConflict is for a request that the present state refuses.
	ErrConflict = errors.New("conflict")
	// ErrInvalid is for input that no state would accept.
	ErrInvalid = errors.New("invalid")
	// ErrTooMany is for what may be asked again later.
	ErrTooMany = errors.New("too many requests")
	// ErrUnavailable is for a database that does not answer at the moment.
	ErrUnavailable = errors.New("unavailable")
)

// The named refusals.
var (
	ErrStale             = fmt.Errorf("%w: somebody else saved in the meantime", ErrConflict)
	ErrSlugTaken         = fmt.Errorf("%w: the address is taken", ErrConflict)
	ErrEmailTaken        = fmt.Errorf("%w: the e-mail has an account", ErrConflict)
	ErrEventFull         = fmt.Errorf("%w: the event is full", ErrConflict)
	ErrTicketFull        = fmt.Errorf("%w: a chosen ticket is gone", ErrConflict)
	ErrEventPast         = fmt.Errorf("%w: the event is over", ErrConflict)
	ErrEventCancelled    = fmt.Errorf("%w: the event is cancelled", ErrConflict)
	ErrNotOpenYet        = fmt.Errorf("%w: registration is not open yet", ErrConflict)
	ErrClosed            = fmt.Errorf("%w: registration is closed", ErrConflict)
	ErrElsewhere         = fmt.Errorf("%w: registration is elsewhere", ErrConflict)
	ErrAlreadyRegistered = fmt.Errorf("%w: the address is registered already", ErrConflict)
	ErrBelowTaken        = fmt.Errorf("%w: fewer seats than are taken", ErrConflict)
	ErrTransition        = fmt.Errorf("%w: not from this state", ErrConflict)
	ErrPlaceHeld         = fmt.Errorf("%w: the place has to be given up first", ErrConflict)
	ErrLastAdmin         = fmt.Errorf("%w: the last admin stays", ErrConflict)
	ErrSecondFactor      = fmt.Errorf("%w: the second factor is asked for", ErrForbidden)
	ErrWrongPassword     = fmt.Errorf("%w: address or password", ErrInvalid)
	ErrWrongCode         = fmt.Errorf("%w: code", ErrInvalid)
	ErrWrongPasskey      = fmt.Errorf("%w: passkey", ErrInvalid)
	ErrGuessing          = fmt.Errorf("%w: wrong guesses", ErrTooMany)
	ErrUnsolved          = fmt.Errorf("%w: a proof of work is asked for", ErrTooMany)
	ErrUncertain         = fmt.Errorf("%w: nobody can tell whether it was kept", ErrUnavailable)
	ErrLinkUsed          = fmt.Errorf("%w: the link was used or has ended", ErrGone)
)

// isRefusal reports whether err is one of ours.
func isRefusal(err error) bool {
	for _, kind := range []error{ErrNotFound, ErrGone, ErrForbidden, ErrConflict, ErrInvalid, ErrTooMany, ErrUnavailable} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// FieldErrors is what is wrong with the fields of an input, in their order. It wraps ErrInvalid.
type FieldErrors []FieldError

// FieldError is what is wrong with one field, as a sentence that says what to do.
type FieldError struct {
	Field, Message string
}

// Error names the fields.
func (f FieldErrors) Error() string {
	names := make([]string, len(f))
	for i, field := range f {
		names[i] = field.Field
	}
	return ErrInvalid.Error() + ": " + strings.Join(names, ", ")
}

// Unwrap makes it one of the kinds.
func (f FieldErrors) Unwrap() error { return ErrInvalid }

// add notes what is wrong with a field.
func (f *FieldErrors) add(field, message string) { *f = append(*f, FieldError{field, message}) }
