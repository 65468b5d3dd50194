package app

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/cdfoundation/portal/handlers"
)

type routesCommand struct {
	JSON bool `name:"json" help:"As JSON."`
}

// Help is the command's example.
func (routesCommand) Help() string { return "Example:\n  portal routes --json" }

// Run lists the routes from the table that the server is built from.
func (r routesCommand) Run(w *world) error {
	type line struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		Name   string `json:"name"`
		Who    string `json:"who"`
	}
	var lines []line
	for _, route := range handlers.Routes() {
		lines = append(lines, line{route.Method, route.Path, route.Name, string(route.Who)})
	}
	if r.JSON {
		return json.NewEncoder(w.out).Encode(lines)
	}
	table := tabwriter.NewWriter(w.out, 0, 8, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.Method, l.Path, l.Name, l.Who)
	}
	return table.Flush()
}
