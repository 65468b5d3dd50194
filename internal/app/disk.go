//go:build linux || darwin

package app

import (
	"syscall"

	"github.com/cdfoundation/portal/handlers"
)

// diskOf is the room on the disk on which a directory lies, as far as this user may use it.
func diskOf(dir string) (handlers.Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return handlers.Disk{}, err
	}
	size := uint64(s.Bsize) //nolint:gosec // its type is another on each system, and never below 0
	return handlers.Disk{Free: s.Bavail * size, Total: s.Blocks * size}, nil
}
