// Package content holds what an empty database starts with.
package content

import "embed"

// Files is the folder as README.md beside it describes it.
//
//go:embed posts ambassadors cohorts groups events pages
var Files embed.FS
