package testkit

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// failures is a test whose failing can be looked at.
type failures struct {
	testing.TB
	messages []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

func TestAGoldenFileIsWrittenWhenAskedAndComparedOtherwise(t *testing.T) {
	t.Chdir(t.TempDir())

	setUpdate(t, "true")
	Golden(t, "mails/hello.txt", []byte("Hello\r\n"))
	b, err := os.ReadFile(filepath.Join("testdata", "mails", "hello.txt"))
	if err != nil || string(b) != "Hello\r\n" {
		t.Fatalf("wrote %q, %v", b, err)
	}

	setUpdate(t, "false")
	same, other := &failures{TB: t}, &failures{TB: t}
	Golden(same, "mails/hello.txt", []byte("Hello\r\n"))
	Golden(other, "mails/hello.txt", []byte("Hello\n"))
	if len(same.messages) != 0 || len(other.messages) != 1 {
		t.Errorf("failed with the same bytes: %t, with other bytes: %t", len(same.messages) > 0, len(other.messages) > 0)
	}
}

func setUpdate(t *testing.T, value string) {
	t.Helper()
	before := flag.Lookup("update").Value.String()
	if err := flag.Set("update", value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("update", before) })
}
