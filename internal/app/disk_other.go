//go:build !linux && !darwin

package app

import (
	"errors"

	"github.com/cdfoundation/portal/handlers"
)

// diskOf is not known on this system.
func diskOf(string) (handlers.Disk, error) { return handlers.Disk{}, errors.ErrUnsupported }
