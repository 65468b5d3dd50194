package app

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/cdfoundation/portal/internal/database"
)

// version and commit are set when the program is built: see the Makefile.
var (
	version = "development"
	commit  = ""
)

type versionCommand struct{}

// Help is the command's example.
func (versionCommand) Help() string { return "Example:\n  portal version" }

// Run tells what this program is made of.
func (versionCommand) Run(w *world) error {
	fmt.Fprintf(w.out, "portal %s %s\n%s\nSQLite %s\n", version, builtFrom(), runtime.Version(), database.SQLiteVersion())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/valyala/fasthttp" {
				fmt.Fprintln(w.out, m.Path, m.Version)
			}
		}
	}
	return nil
}

func builtFrom() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown commit"
}
