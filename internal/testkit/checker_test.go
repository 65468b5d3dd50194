package testkit

import (
	"strings"
	"testing"
)

func TestTheCheckerAcceptsAGoodPageAndNamesTheFaultsOfABadOne(t *testing.T) {
	const good = "<!doctype html><html lang=en><title>Good</title><p>Good.</p>"
	findings := checkHTML(t, map[string][]byte{
		"/good": []byte(good),
		"/bad":  []byte(good + "\n<img src=x>"),
		"/twin": []byte(good + "\n\n<p id=a><p id=a>"),
	})
	if len(findings) != 2 {
		t.Fatalf("findings = %q, want 2", findings)
	}
	for i, want := range []string{"/bad:2 ", "/twin:3 "} {
		if !strings.HasPrefix(findings[i], want) {
			t.Errorf("finding %q, want it to start with %q", findings[i], want)
		}
	}
}

func TestAReportThatIsNoneIsAnError(t *testing.T) {
	for _, report := range []string{"", "{}", "Exception in thread main"} {
		if _, err := readFindings([]byte(report), nil); err == nil {
			t.Errorf("%q was taken for a report", report)
		}
	}
}
