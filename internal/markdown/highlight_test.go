package markdown_test

import (
	"os"
	"testing"

	"github.com/cdfoundation/portal/internal/markdown"
)

func TestTheStyleSheetHasTheColoursThatTheRendererUses(t *testing.T) {
	got, err := os.ReadFile("../../static/css/components/highlight.css")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != markdown.HighlightCSS() {
		t.Error("static/css/components/highlight.css differs from HighlightCSS: write it anew")
	}
}
