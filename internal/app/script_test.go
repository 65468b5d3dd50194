package app_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cdfoundation/portal/internal/app"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"portal": func() { os.Exit(app.Main(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) },
	})
}

func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PORTAL_DATA_DIR", env.WorkDir+"/data")
			return nil
		},
	})
}

// The web framework alone would bring a version of fasthttp that lets malformed requests pass. Only a built program
// knows what it was built with.
func TestTheProgramIsBuiltWithTheRaisedFasthttp(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "version").Output()
	if err != nil || !strings.Contains(string(out), "github.com/valyala/fasthttp v1.73.0") {
		t.Errorf("portal version: %v\n%s", err, out)
	}
}
