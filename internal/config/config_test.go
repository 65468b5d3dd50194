package config_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/cdfoundation/portal/internal/config"
)

const (
	key      = "0123456789abcdef0123456789abcdef"
	olderKey = "fedcba9876543210fedcba9876543210"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func load(t *testing.T, pairs ...string) config.Config {
	t.Helper()
	c, err := config.Load(env(pairs...))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

func TestAnEmptyEnvironmentGivesTheDefaults(t *testing.T) {
	c := load(t)
	want := config.Config{
		Addr: "127.0.0.1:8080", DataDir: "./data", MailFrom: "CD Foundation Community <community@localhost>",
		Seed: "content", RateLimit: "on", LogLevel: "info", LogFormat: "text", ServiceName: "portal",
	}
	if c != want {
		t.Errorf("Load() = %+v\nwant %+v", c, want)
	}
	if got := c.Database(); got != "sqlite:data/portal.db" {
		t.Errorf("Database() = %q", got)
	}
	if got := c.MediaDir(); got != "data/media" {
		t.Errorf("MediaDir() = %q", got)
	}
	if got := c.MailDir(); got != "data/mail" {
		t.Errorf("MailDir() = %q", got)
	}
	if got := c.From(); got.Name != "CD Foundation Community" || got.Address != "community@localhost" {
		t.Errorf("From() = %v", got)
	}
	if c.DrainTime() != 0 {
		t.Errorf("DrainTime() = %v on SQLite, want none", c.DrainTime())
	}
	if c := load(t, "PORTAL_DATABASE_URL", "postgres://portal@db/portal"); c.DrainTime() != 5*time.Second {
		t.Errorf("DrainTime() = %v on PostgreSQL", c.DrainTime())
	}
	if c.SMTP() != nil || c.Keys() != nil || c.Proxies() != nil || c.Offset() != 0 {
		t.Errorf("SMTP %v, Keys %v, Proxies %v, Offset %v: want none", c.SMTP(), c.Keys(), c.Proxies(), c.Offset())
	}
	if !c.SeedsContent() || !c.Limited() || c.Level() != slog.LevelInfo {
		t.Errorf("SeedsContent %t, Limited %t, Level %v", c.SeedsContent(), c.Limited(), c.Level())
	}
}

func TestTheEnvironmentIsTheOneHandedIn(t *testing.T) {
	t.Setenv("PORTAL_ADDR", "nonsense")
	if c := load(t, "PORTAL_ADDR", ":9000"); c.Addr != ":9000" {
		t.Errorf("Addr = %q, want :9000", c.Addr)
	}
	if c := load(t); c.Addr != "127.0.0.1:8080" {
		t.Errorf("Addr = %q, want the default", c.Addr)
	}
}

func TestAWrongValueIsNamedWithWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct{ name, variable, value, want string }{
		{"an address without a port", "PORTAL_ADDR", "localhost", `PORTAL_ADDR="localhost": allowed is HOST:PORT`},
		{"a port that is too high", "PORTAL_ADDR", ":70000", "PORTAL_ADDR"},
		{"a base URL of another scheme", "PORTAL_BASE_URL", "ftp://example.org", `PORTAL_BASE_URL="ftp://example.org": allowed is http://`},
		{"a base URL without a host", "PORTAL_BASE_URL", "https://:443", "PORTAL_BASE_URL"},
		{"a base URL with a path", "PORTAL_BASE_URL", "https://example.org/portal", "PORTAL_BASE_URL"},
		{"a base URL with a query", "PORTAL_BASE_URL", "https://example.org?x=1", "PORTAL_BASE_URL"},
		{"a database of another kind", "PORTAL_DATABASE_URL", "mysql://host/db", "PORTAL_DATABASE_URL"},
		{"a database file without a name", "PORTAL_DATABASE_URL", "sqlite:", "PORTAL_DATABASE_URL"},
		{"a database in memory", "PORTAL_DATABASE_URL", "sqlite::memory:", "PORTAL_DATABASE_URL"},
		{"a database file with driver options", "PORTAL_DATABASE_URL", "sqlite:a.db?_sync=0", "PORTAL_DATABASE_URL"},
		{"a database server without a database", "PORTAL_DATABASE_URL", "postgres://host", "PORTAL_DATABASE_URL"},
		{"a mail server of another scheme", "PORTAL_SMTP_URL", "https://host", "PORTAL_SMTP_URL"},
		{"a mail server without a host", "PORTAL_SMTP_URL", "smtp://", "PORTAL_SMTP_URL"},
		{"an issuer whose keys travel in the open", "PORTAL_OIDC_ISSUER", "http://id.example.org", "PORTAL_OIDC_ISSUER"},
		{"a client without an issuer", "PORTAL_OIDC_CLIENT_SECRET", "hush", "PORTAL_OIDC_CLIENT_SECRET"},
		{"a sender that is no address", "PORTAL_MAIL_FROM", "Community", `PORTAL_MAIL_FROM="Community": allowed is a mail address`},
		{"a storage of another kind", "PORTAL_STORAGE_URL", "gs://bucket", `PORTAL_STORAGE_URL="gs://bucket": allowed is file:PATH, or s3://`},
		{"a bucket without a server", "PORTAL_STORAGE_URL", "s3://bucket", `PORTAL_STORAGE_URL="s3://bucket": allowed is file:PATH, or s3://`},
		{"a bucket without a secret", "PORTAL_STORAGE_URL", "s3://key@s3.example.org/uploads", `PORTAL_STORAGE_URL="s3://s3.example.org/uploads"`},
		{"a server without a bucket", "PORTAL_STORAGE_URL", "s3://key:hunter2@s3.example.org/", `PORTAL_STORAGE_URL="s3://s3.example.org/"`},
		{"a bucket whose name no server takes", "PORTAL_STORAGE_URL", "s3://key:hunter2@s3.example.org/Up_loads", `PORTAL_STORAGE_URL="s3://s3.example.org/Up_loads"`},
		{"a bucket with a path that leads out", "PORTAL_STORAGE_URL", "s3://key:hunter2@s3.example.org/uploads/../x", "PORTAL_STORAGE_URL"},
		{"a bucket with another option", "PORTAL_STORAGE_URL", "s3://key:hunter2@s3.example.org/uploads?ssl=off", `"s3://s3.example.org/uploads?ssl=off"`},
		{"a bucket with TLS that is neither", "PORTAL_STORAGE_URL", "s3://key:hunter2@s3.example.org/uploads?tls=false", `"s3://s3.example.org/uploads?tls=false"`},
		{"a secret with a slash", "PORTAL_STORAGE_URL", "s3://key:hun/hunter2@s3.example.org/uploads", `PORTAL_STORAGE_URL has a wrong value (not shown): allowed is file:PATH`},
		{"a secret with a slash behind a number", "PORTAL_STORAGE_URL", "s3://key:1/hunter2@s3.example.org/uploads", `PORTAL_STORAGE_URL has a wrong value (not shown)`},
		{"a storage on a host", "PORTAL_STORAGE_URL", "file://host/media", "PORTAL_STORAGE_URL"},
		{"a short key", "PORTAL_SECRET_KEY", "short", "PORTAL_SECRET_KEY"},
		{"a short older key", "PORTAL_SECRET_KEY", key + ",short", "PORTAL_SECRET_KEY"},
		{"a key list that ends in a comma", "PORTAL_SECRET_KEY", key + ",", "PORTAL_SECRET_KEY"},
		{"a proxy that is a name", "PORTAL_TRUSTED_PROXIES", "10.0.0.0/8,proxy", `PORTAL_TRUSTED_PROXIES="10.0.0.0/8,proxy": allowed is networks`},
		{"an unknown seed", "PORTAL_SEED", "sample", `PORTAL_SEED="sample": allowed is content or none`},
		{"a limit that is neither", "PORTAL_RATE_LIMIT", "false", `PORTAL_RATE_LIMIT="false": allowed is on or off`},
		{"a drain without end", "PORTAL_DRAIN", "6m", `PORTAL_DRAIN="6m": allowed is a duration from 0s to 5m`},
		{"an offset without a unit", "PORTAL_CLOCK_OFFSET", "26", `PORTAL_CLOCK_OFFSET="26": allowed is a duration`},
		{"an unknown level", "PORTAL_LOG_LEVEL", "loud", `PORTAL_LOG_LEVEL="loud": allowed is debug, info, warn or error`},
		{"a collector of another scheme", "OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317", `OTEL_EXPORTER_OTLP_ENDPOINT="grpc://localhost:4317": allowed is http://`},
		{"an unknown format", "PORTAL_LOG_FORMAT", "xml", `PORTAL_LOG_FORMAT="xml": allowed is text or json`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(env(tt.variable, tt.value))
			if err == nil {
				t.Fatal("was accepted")
			}
			if !strings.HasPrefix(err.Error(), tt.variable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %q, want it to start with the variable and contain %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error shows the secret: %q", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %q", err)
			}
		})
	}
}

func TestAWrongSecretIsNotRepeated(t *testing.T) {
	for _, variable := range []string{"PORTAL_SECRET_KEY", "PORTAL_SMTP_URL", "PORTAL_DATABASE_URL"} {
		for _, value := range []string{"hunter2", "smtp://user:hunter2@[::1", "ftp://user:hunter2@host:hunter2/x"} {
			_, err := config.Load(env(variable, value))
			if err == nil {
				if variable == "PORTAL_SECRET_KEY" && len(value) >= 32 {
					continue
				}
				t.Errorf("%s=%s was accepted", variable, value)
				continue
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %q", err)
			}
		}
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	c := load(t, "PORTAL_SECRET_KEY_FILE", path)
	if !slices.Equal(c.Keys(), []string{key}) {
		t.Errorf("Keys() = %q", c.Keys())
	}

	_, err := config.Load(env("PORTAL_SECRET_KEY_FILE", filepath.Join(dir, "gone")))
	if err == nil || !strings.Contains(err.Error(), "PORTAL_SECRET_KEY_FILE") {
		t.Errorf("a missing file: %v", err)
	}
	_, err = config.Load(env("PORTAL_SECRET_KEY_FILE", path, "PORTAL_SECRET_KEY", key))
	if err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("given both ways: %v", err)
	}
}

func TestOnlySecretsComeFromFiles(t *testing.T) {
	if c := load(t, "PORTAL_SEED_FILE", "/dev/null"); c.Seed != "content" {
		t.Errorf("Seed = %q", c.Seed)
	}
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	var cli struct {
		Serve struct {
			config.Config `embed:""`
		} `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Resolvers(config.Resolver(env("PORTAL_ADDR", ":1", "PORTAL_SEED", "none"))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = parser.Parse([]string{"serve", "--addr", ":2"}); err != nil {
		t.Fatal(err)
	}
	if c := cli.Serve; c.Addr != ":2" || c.Seed != "none" || c.LogLevel != "info" {
		t.Errorf("Addr %q, Seed %q, LogLevel %q: want the flag, the variable, the default", c.Addr, c.Seed, c.LogLevel)
	}

	_, err = parser.Parse([]string{"serve", "--log-level=loud"})
	if err == nil || !strings.Contains(err.Error(), `PORTAL_LOG_LEVEL="loud"`) {
		t.Errorf("a wrong flag: %v", err)
	}
}

func TestEveryFlagIsItsVariableInSmallLetters(t *testing.T) {
	parser, err := kong.New(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range parser.Model.Flags {
		if f.Name == "help" {
			continue
		}
		want := strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if !strings.HasPrefix(want, "OTEL_") { // OpenTelemetry's variables are the same for every program
			want = "PORTAL_" + want
		}
		if len(f.Tag.Envs) != 1 || f.Tag.Envs[0] != want {
			t.Errorf("--%s reads %q, want %s", f.Name, f.Tag.Envs, want)
		}
	}
}

func TestThePublicAddressIsTheOneThatWasSet(t *testing.T) {
	v4 := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	for _, tt := range []struct {
		name, base string
		listening  net.Addr
		want       string
	}{
		{"set", "https://community.example.org", v4, "https://community.example.org"},
		{"set with a slash at the end", "https://example.org/", v4, "https://example.org"},
		{"set with a port", "http://localhost:81", v4, "http://localhost:81"},
		{"unset", "", v4, "http://127.0.0.1:8080"},
		{"unset on every IPv4 address", "", &net.TCPAddr{IP: net.IPv4zero, Port: 80}, "http://localhost:80"},
		{"unset on every address", "", &net.TCPAddr{IP: net.IPv6unspecified, Port: 80}, "http://localhost:80"},
		{"unset on IPv6", "", &net.TCPAddr{IP: net.IPv6loopback, Port: 80}, "http://[::1]:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := load(t, "PORTAL_BASE_URL", tt.base).PublicURL(tt.listening).String(); got != tt.want {
				t.Errorf("PublicURL = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSettingsInTheFormOfTheProgram(t *testing.T) {
	c := load(
		t,
		"PORTAL_DATABASE_URL", "postgres:///portal?host=/run/postgresql",
		"PORTAL_SMTP_URL", "smtps://user:p%40ss@mail.example.org",
		"PORTAL_STORAGE_URL", "file:///srv/media",
		"PORTAL_SECRET_KEY", key+", "+olderKey,
		"PORTAL_TRUSTED_PROXIES", "10.1.2.3/8, 192.0.2.1,fd00::/8",
		"PORTAL_RATE_LIMIT", "off",
		"PORTAL_SEED", "none",
		"PORTAL_CLOCK_OFFSET", "-40m",
		"PORTAL_LOG_LEVEL", "warn",
	)
	if got := c.Database(); got != "postgres:///portal?host=/run/postgresql" {
		t.Errorf("Database() = %q", got)
	}
	smtp := c.SMTP()
	if pass, _ := smtp.User.Password(); smtp.Scheme != "smtps" || smtp.Host != "mail.example.org:465" || pass != "p@ss" {
		t.Errorf("SMTP() = %v", smtp)
	}
	if got := c.MediaDir(); got != "/srv/media" || c.Bucket() != nil {
		t.Errorf("MediaDir() = %q, Bucket() = %v", got, c.Bucket())
	}
	bucket := load(t, "PORTAL_STORAGE_URL", "s3://key:p%2Fss@localhost:9000/uploads/portal/?region=eu-central-1&tls=off").Bucket()
	if secret, _ := bucket.User.Password(); secret != "p/ss" || bucket.Host != "localhost:9000" || bucket.Query().Get("tls") != "off" {
		t.Errorf("Bucket() = %v", bucket)
	}
	if !slices.Equal(c.Keys(), []string{key, olderKey}) {
		t.Errorf("Keys() = %q", c.Keys())
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("fd00::/8")}
	if !slices.Equal(c.Proxies(), want) {
		t.Errorf("Proxies() = %v, want %v", c.Proxies(), want)
	}
	if c.Limited() || c.SeedsContent() || c.Offset() != -40*time.Minute || c.Level() != slog.LevelWarn {
		t.Errorf("Limited %t, SeedsContent %t, Offset %v, Level %v", c.Limited(), c.SeedsContent(), c.Offset(), c.Level())
	}
}

func TestALogShowsNoSecret(t *testing.T) {
	c := load(
		t,
		"PORTAL_DATABASE_URL", "postgres://portal:hunter2@db/portal?password=hunter2",
		"PORTAL_SMTP_URL", "smtp://user:hunter2@mail:587",
		"PORTAL_SECRET_KEY", key+","+olderKey,
		"PORTAL_STORAGE_URL", "s3://AKIA:hunter2@s3.example.org/uploads",
	)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", slog.Any("config", c))

	for _, secret := range []string{"hunter2", key, olderKey} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, log.String())
		}
	}
	for _, shown := range []string{"postgres://db/portal", "smtp://mail:587", "s3://s3.example.org/uploads", "secret_keys=2", "127.0.0.1:8080"} {
		if !strings.Contains(log.String(), shown) {
			t.Errorf("the log lacks %q: %s", shown, log.String())
		}
	}
}

func TestTheREADMEListsEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no README yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	parser, err := kong.New(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, f := range parser.Model.Flags {
		known = append(known, f.Tag.Envs...)
		for _, variable := range f.Tag.Envs {
			row := regexp.MustCompile(`(?m)^\| .*` + "`" + variable + "`.*$").FindString(string(readme))
			if row == "" || !strings.Contains(row, f.Default) {
				t.Errorf("no row of a table names %s with its default %q", variable, f.Default)
			}
		}
	}
	for _, variable := range regexp.MustCompile("(?m)^\\| .*?`(PORTAL_[A-Z_]+)`").FindAllStringSubmatch(string(readme), -1) {
		if !slices.Contains(known, variable[1]) {
			t.Errorf("the README has a row for %s, which is no setting", variable[1])
		}
	}
}

func TestAnOutsideServiceNeedsAllOfItsSettings(t *testing.T) {
	for _, tt := range []struct {
		set  map[string]string
		lack string
	}{
		{map[string]string{"PORTAL_OIDC_ISSUER": "https://id.example.org"}, "PORTAL_OIDC_CLIENT_ID"},
		{map[string]string{"PORTAL_OIDC_ISSUER": "http://localhost:9000", "PORTAL_OIDC_CLIENT_ID": "portal"}, "PORTAL_OIDC_CLIENT_SECRET"},
		{map[string]string{"PORTAL_OIDC_CLIENT_ID": "portal", "PORTAL_OIDC_CLIENT_SECRET": "hush"}, "PORTAL_OIDC_ISSUER"},
		{map[string]string{"PORTAL_GITHUB_CLIENT_ID": "portal"}, "PORTAL_GITHUB_CLIENT_SECRET"},
		{map[string]string{"PORTAL_GITHUB_CLIENT_SECRET": "hush"}, "PORTAL_GITHUB_CLIENT_SECRET"},
		{map[string]string{"PORTAL_OIDC_ISSUER": "https://id.example.org/cdf", "PORTAL_OIDC_CLIENT_ID": "portal", "PORTAL_OIDC_CLIENT_SECRET": "hush"}, ""},
		{map[string]string{"PORTAL_GITHUB_CLIENT_ID": "portal", "PORTAL_GITHUB_CLIENT_SECRET": "hush"}, ""},
	} {
		_, err := config.Load(func(name string) string { return tt.set[name] })
		if tt.lack == "" && err != nil || tt.lack != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.lack)) {
			t.Errorf("%v: %v, want an error that begins with %q", tt.set, err, tt.lack)
		}
	}
}
