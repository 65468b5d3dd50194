// Package config holds every setting of the program: its name, its default, what
// is allowed. It reads no file but the ones that *_FILE variables name, and opens
// nothing that a setting points at.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Config is every setting as it was given: an environment variable, or the flag
// of `portal serve` with the same name. An empty value means the default. The
// methods give the settings in the form that the program works with; they are
// for a Config that Validate accepted.
//
// A field tagged secret may also come from a file: the variable with _FILE
// behind its name holds the path.
type Config struct {
	Addr           string `name:"addr" env:"PORTAL_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Listen address; port 0 picks a free one."`
	BaseURL        string `name:"base-url" env:"PORTAL_BASE_URL" placeholder:"URL" help:"Public address, used for every absolute link. Default: the address that it listens on."`
	DataDir        string `name:"data-dir" env:"PORTAL_DATA_DIR" default:"./data" placeholder:"DIR" help:"Database, media, backups, kept mail, secret; created with 0700."`
	DatabaseURL    string `name:"database-url" env:"PORTAL_DATABASE_URL" secret:"" placeholder:"URL" help:"sqlite:PATH or postgres://…. Default: portal.db in the data dir."`
	SMTPURL        string `name:"smtp-url" env:"PORTAL_SMTP_URL" secret:"" placeholder:"URL" help:"smtp://user:pass@host:587 or smtps://…. Default: none, mail is kept as files in the data dir."`
	MailFrom       string `name:"mail-from" env:"PORTAL_MAIL_FROM" default:"CD Foundation Community <community@localhost>" placeholder:"ADDRESS" help:"Sender of all mail while the settings in the desk name no other."`
	StorageURL     string `name:"storage-url" env:"PORTAL_STORAGE_URL" secret:"" placeholder:"URL" help:"Where uploads live: file:PATH or s3://KEY:SECRET@HOST/BUCKET. Default: media in the data dir."`
	SecretKey      string `name:"secret-key" env:"PORTAL_SECRET_KEY" secret:"" placeholder:"KEYS" help:"Signs links and cookies; older keys may follow the first, with commas. Default: made once and kept."`
	OIDCIssuer     string `name:"oidc-issuer" env:"PORTAL_OIDC_ISSUER" placeholder:"URL" help:"OpenID Connect issuer that people may sign in with. Default: none."`
	OIDCID         string `name:"oidc-client-id" env:"PORTAL_OIDC_CLIENT_ID" placeholder:"ID" help:"What the issuer calls the portal."`
	OIDCSecret     string `name:"oidc-client-secret" env:"PORTAL_OIDC_CLIENT_SECRET" secret:"" placeholder:"SECRET" help:"What the issuer gave the portal."`
	GitHubID       string `name:"github-client-id" env:"PORTAL_GITHUB_CLIENT_ID" placeholder:"ID" help:"OAuth application of GitHub that people may sign in with. Default: none."`
	GitHubSecret   string `name:"github-client-secret" env:"PORTAL_GITHUB_CLIENT_SECRET" secret:"" placeholder:"SECRET" help:"Its secret."`
	TrustedProxies string `name:"trusted-proxies" env:"PORTAL_TRUSTED_PROXIES" placeholder:"CIDRS" help:"Networks whose forwarding headers count, with commas. Default: none."`
	Seed           string `name:"seed" env:"PORTAL_SEED" default:"content" placeholder:"content|none" help:"What an empty database starts with."`
	RateLimit      string `name:"rate-limit" env:"PORTAL_RATE_LIMIT" default:"on" placeholder:"on|off" help:"off for load tests: no limits, no minimum time to fill a form, no proof of work."`
	Drain          string `name:"drain" env:"PORTAL_DRAIN" placeholder:"DURATION" help:"How long a process that is to stop still answers, while /readyz tells a balancer to send it nothing more. Default: 5s on PostgreSQL, 0s on SQLite."`
	ClockOffset    string `name:"clock-offset" env:"PORTAL_CLOCK_OFFSET" placeholder:"DURATION" help:"For trials only: shifts the program's clock, such as +26h or -40m. Default: none."`
	LogLevel       string `name:"log-level" env:"PORTAL_LOG_LEVEL" default:"info" placeholder:"debug|info|warn|error" help:"Least level that is logged."`
	OTLPEndpoint   string `name:"otel-exporter-otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"OpenTelemetry collector that traces are sent to, by OTLP over HTTP. Default: none, and no traces."`
	ServiceName    string `name:"otel-service-name" env:"OTEL_SERVICE_NAME" default:"portal" placeholder:"NAME" help:"What traces call the portal."`
	LogFormat      string `name:"log-format" env:"PORTAL_LOG_FORMAT" default:"text" placeholder:"text|json" help:"json for machines."`
}

// minKeyLength is what makes a key too long to guess, when it is random text.
const minKeyLength = 32

// hidden stands for a value that opens a door.
const hidden = "(not shown)"

// Load reads the settings from the environment alone, for the commands that do
// not take them as flags, and validates them.
func Load(getenv func(string) string) (Config, error) {
	var c Config
	parser, err := kong.New(&c, kong.Resolvers(Resolver(getenv)))
	if err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	// Kong validates what it parsed; its error carries Validate's own words.
	if _, err := parser.Parse(nil); err != nil {
		if parse, ok := errors.AsType[*kong.ParseError](err); ok {
			err = parse.Unwrap()
		}
		return Config{}, err
	}
	return c, nil
}

// Resolver gives kong the value of each flag that the command line left out:
// the variable, else what the file named by its _FILE variable holds, else the
// default. An empty variable counts as unset. Giving a secret both ways is an
// error, and so is a file that cannot be read.
func Resolver(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if len(flag.Tag.Envs) == 0 {
			return nil, nil //nolint:nilnil // how a resolver tells kong that it has no opinion
		}
		name := flag.Tag.Envs[0]
		value := getenv(name)
		if flag.Tag.Has("secret") {
			var err error
			if value, err = secret(getenv, name); err != nil {
				return nil, err
			}
		}
		return cmp.Or(value, flag.Default), nil
	})
}

func secret(getenv func(string) string, name string) (string, error) {
	value, path := getenv(name), getenv(name+"_FILE")
	if path == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("%s and %s_FILE are both set: allowed is one of them", name, name)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("%s_FILE=%q: allowed is a file that can be read: %w", name, path, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// Validate reports the first setting that is wrong, in one line: the variable,
// the value (of a secret never) and what is allowed.
func (c Config) Validate() error {
	_, baseErr := parseBaseURL(c.BaseURL)
	_, smtpErr := parseSMTPURL(c.SMTPURL)
	_, fromErr := mail.ParseAddress(c.MailFrom)
	_, _, storageErr := parseStorageURL(c.StorageURL)
	_, keysErr := parseKeys(c.SecretKey)
	_, proxiesErr := parseProxies(c.TrustedProxies)
	_, tracesErr := parseTracesURL(c.OTLPEndpoint)
	_, drainErr := parseDrain(c.Drain)
	_, offsetErr := parseOffset(c.ClockOffset)

	for _, s := range []struct {
		name, value string
		ok          bool
		allowed     string
	}{
		{"PORTAL_ADDR", c.Addr, checkAddr(c.Addr) == nil, "HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8080"},
		{"PORTAL_BASE_URL", c.BaseURL, baseErr == nil, "http:// or https:// with a host and no path, such as https://community.example.org"},
		{"PORTAL_DATA_DIR", c.DataDir, c.DataDir != "", "a directory"},
		{"PORTAL_DATABASE_URL", hidden, checkDatabaseURL(c.DatabaseURL) == nil, "sqlite:PATH with a plain file path, or postgres://USER:PASSWORD@HOST/NAME"},
		{"PORTAL_SMTP_URL", hidden, smtpErr == nil, "smtp:// or smtps:// with a host, such as smtp://user:pass@host:587"},
		{"PORTAL_MAIL_FROM", c.MailFrom, fromErr == nil, "a mail address, such as Community <community@example.org>"},
		{"PORTAL_STORAGE_URL", storagePlace(c.StorageURL), storageErr == nil, "file:PATH, or s3://KEY:SECRET@HOST/BUCKET with, if need be, a port, a path behind the bucket, ?region=REGION and tls=off; a / in the secret is written %2F"},
		{"PORTAL_SECRET_KEY", hidden, keysErr == nil, fmt.Sprintf("keys of at least %d characters, with commas between them", minKeyLength)},
		{"PORTAL_OIDC_ISSUER", c.OIDCIssuer, c.OIDCIssuer == "" && c.OIDCID == "" || checkIssuer(c.OIDCIssuer) == nil, "https:// with a host, or http://localhost, beside PORTAL_OIDC_CLIENT_ID and PORTAL_OIDC_CLIENT_SECRET"},
		{"PORTAL_OIDC_CLIENT_ID", c.OIDCID, (c.OIDCID != "") == (c.OIDCIssuer != ""), "what the issuer calls the portal, where PORTAL_OIDC_ISSUER is set"},
		{"PORTAL_OIDC_CLIENT_SECRET", hidden, (c.OIDCSecret != "") == (c.OIDCIssuer != ""), "the issuer's secret, where PORTAL_OIDC_ISSUER is set"},
		{"PORTAL_GITHUB_CLIENT_SECRET", hidden, (c.GitHubSecret != "") == (c.GitHubID != ""), "the application's secret, where PORTAL_GITHUB_CLIENT_ID is set"},
		{"PORTAL_TRUSTED_PROXIES", c.TrustedProxies, proxiesErr == nil, "networks with commas between them, such as 10.0.0.0/8,fd00::/8"},
		{"PORTAL_SEED", c.Seed, oneOf(c.Seed, "content", "none"), "content or none"},
		{"PORTAL_RATE_LIMIT", c.RateLimit, oneOf(c.RateLimit, "on", "off"), "on or off"},
		{"PORTAL_DRAIN", c.Drain, drainErr == nil, "a duration from 0s to 5m, such as 10s"},
		{"PORTAL_CLOCK_OFFSET", c.ClockOffset, offsetErr == nil, "a duration, such as +26h or -40m"},
		{"PORTAL_LOG_LEVEL", c.LogLevel, oneOf(c.LogLevel, "debug", "info", "warn", "error"), "debug, info, warn or error"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", c.OTLPEndpoint, tracesErr == nil, "http:// or https:// with a host, such as http://localhost:4318"},
		{"PORTAL_LOG_FORMAT", c.LogFormat, oneOf(c.LogFormat, "text", "json"), "text or json"},
	} {
		switch {
		case s.ok:
		case s.value == hidden:
			return fmt.Errorf("%s has a wrong value %s: allowed is %s", s.name, hidden, s.allowed)
		default:
			return fmt.Errorf("%s=%q: allowed is %s", s.name, s.value, s.allowed)
		}
	}
	return nil
}

// PublicURL is the address that absolute links start with, without a trailing
// slash: PORTAL_BASE_URL, or the address the program listens on. A wildcard
// host there becomes localhost, which a browser can open.
func (c Config) PublicURL(listening net.Addr) *url.URL {
	if c.BaseURL != "" {
		u, _ := parseBaseURL(c.BaseURL)
		return u
	}
	host, port, _ := net.SplitHostPort(listening.String())
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
}

// Database is where the data lives, as internal/database opens it: sqlite:PATH
// (portal.db in the data dir by default) or a postgres:// address.
func (c Config) Database() string {
	return cmp.Or(c.DatabaseURL, "sqlite:"+filepath.Join(c.DataDir, "portal.db"))
}

// SMTP is the server that takes our mail, nil when mail is kept as files in
// MailDir. Its host always has a port: 587, or 465 for smtps, when none is given.
func (c Config) SMTP() *url.URL {
	u, _ := parseSMTPURL(c.SMTPURL)
	return u
}

// MailDir is where mail is kept when no SMTP server is set.
func (c Config) MailDir() string { return filepath.Join(c.DataDir, "mail") }

// From is the sender of all mail.
func (c Config) From() *mail.Address {
	a, _ := mail.ParseAddress(c.MailFrom)
	return a
}

// MediaDir is the directory of uploads when they are in no Bucket: that of
// PORTAL_STORAGE_URL, or media in the data dir.
func (c Config) MediaDir() string {
	dir, _, _ := parseStorageURL(c.StorageURL)
	return cmp.Or(dir, filepath.Join(c.DataDir, "media"))
}

// Bucket is the address of the bucket of uploads, as internal/storage takes it,
// or nil when they are in MediaDir.
func (c Config) Bucket() *url.URL {
	_, bucket, _ := parseStorageURL(c.StorageURL)
	return bucket
}

// BackupDir is where the backups lie that the desk asks for and that are made by themselves.
func (c Config) BackupDir() string { return filepath.Join(c.DataDir, "backups") }

// Keys are the secrets that sign links and cookies. The first one signs, all
// verify. None means that the program makes and keeps its own.
func (c Config) Keys() []string {
	keys, _ := parseKeys(c.SecretKey)
	return keys
}

// Proxies are the networks whose forwarding headers count.
func (c Config) Proxies() []netip.Prefix {
	prefixes, _ := parseProxies(c.TrustedProxies)
	return prefixes
}

// SeedsContent reports whether an empty database starts with the built-in content.
func (c Config) SeedsContent() bool { return c.Seed == "content" }

// Limited reports whether requests are limited and forms have a minimum time.
func (c Config) Limited() bool { return c.RateLimit == "on" }

// DrainTime is how long a process that is to stop still answers.
func (c Config) DrainTime() time.Duration {
	if c.Drain == "" && !strings.HasPrefix(c.Database(), "sqlite:") {
		return defaultDrain
	}
	d, _ := parseDrain(c.Drain)
	return d
}

// defaultDrain is enough for a balancer that asks every two seconds and believes the second answer.
const defaultDrain = 5 * time.Second

// maxDrain is the most, so that a slip of the pen keeps nobody waiting for hours.
const maxDrain = 5 * time.Minute

// Offset is by how much the program's clock is shifted; zero in production.
func (c Config) Offset() time.Duration {
	d, _ := parseOffset(c.ClockOffset)
	return d
}

// Level is the least level that is logged.
func (c Config) Level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// TracesURL is the address that takes traces: below the collector's, as OpenTelemetry has it. It is empty when none is set.
func (c Config) TracesURL() string {
	address, _ := parseTracesURL(c.OTLPEndpoint)
	return address
}

// LogValue shows the settings in a log without what would open a door: of the
// database, the mail server and a bucket only the place, of the keys only their
// number.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("addr", c.Addr),
		slog.String("base_url", c.BaseURL),
		slog.String("data_dir", c.DataDir),
		slog.String("database_url", place(c.Database())),
		slog.String("smtp_url", place(c.SMTPURL)),
		slog.String("mail_from", c.MailFrom),
		slog.String("storage_url", storagePlace(cmp.Or(c.StorageURL, "file:"+c.MediaDir()))),
		slog.Int("secret_keys", len(c.Keys())),
		slog.String("oidc_issuer", place(c.OIDCIssuer)),
		slog.Bool("github", c.GitHubID != ""),
		slog.String("trusted_proxies", c.TrustedProxies),
		slog.String("seed", c.Seed),
		slog.String("rate_limit", c.RateLimit),
		slog.Duration("drain", c.DrainTime()),
		slog.String("clock_offset", c.ClockOffset),
		slog.String("otlp_endpoint", place(c.OTLPEndpoint)),
		slog.String("log_level", c.LogLevel),
		slog.String("log_format", c.LogFormat),
	)
}

// place keeps scheme, host and path of an address: PostgreSQL takes passwords as
// query parameters too, so the whole query goes.
func place(address string) string {
	if strings.HasPrefix(address, "sqlite:") || address == "" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// errWrong says only that a value is wrong: Validate knows the words, and the
// errors of the parsers would repeat secrets.
var errWrong = errors.New("wrong value")

func oneOf(value string, allowed ...string) bool {
	return slices.Contains(allowed, value)
}

func checkAddr(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return err
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err
}

func parseBaseURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // unset: PublicURL takes the listen address
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil {
		return nil, err
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || *u != bare {
		return nil, errWrong
	}
	return u, nil
}

func checkDatabaseURL(s string) error {
	if s == "" {
		return nil
	}
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		// A path with a question mark would hand options to the driver, and a
		// database in memory is another one for each connection.
		if path == "" || strings.ContainsAny(path, "?#\x00") || strings.Contains(path, ":memory:") {
			return errWrong
		}
		return nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" || strings.Trim(u.Path, "/") == "" {
		return errWrong
	}
	return nil
}

// checkIssuer takes an address whose keys nobody can swap on the way.
func checkIssuer(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errWrong
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) {
		return nil
	}
	return errWrong
}

func parseTracesURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errWrong
	}
	return u.JoinPath("v1", "traces").String(), nil
}

func parseSMTPURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // unset: mail is kept as files
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil {
		return nil, err
	}
	ports := map[string]string{"smtp": "587", "smtps": "465"}
	bare := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}
	if ports[u.Scheme] == "" || u.Hostname() == "" || *u != bare {
		return nil, errWrong
	}
	u.Host = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
	return u, nil
}

// bucketName is what every server takes as the name of a bucket.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseStorageURL(s string) (dir string, bucket *url.URL, err error) {
	if s == "" {
		return "", nil, nil
	}
	if strings.HasPrefix(s, "s3:") {
		bucket, err = parseBucket(s)
		return "", bucket, err
	}
	dir, ok := strings.CutPrefix(s, "file:")
	if strings.HasPrefix(dir, "///") {
		dir = dir[2:]
	}
	// What stands between two slashes and the next would be a host.
	if !ok || dir == "" || strings.HasPrefix(dir, "//") {
		return "", nil, errWrong
	}
	return dir, nil, nil
}

func parseBucket(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errWrong
	}
	query, queryErr := url.ParseQuery(u.RawQuery)
	for name, values := range query {
		if len(values) != 1 || !oneOf(name, "region", "tls") || values[0] == "" {
			return nil, errWrong
		}
	}
	secret, _ := u.User.Password()
	name, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	switch {
	case queryErr != nil, u.Hostname() == "", u.Fragment != "", u.User.Username() == "", secret == "",
		!bucketName.MatchString(name), prefix != "" && !fs.ValidPath(prefix), !oneOf(cmp.Or(query.Get("tls"), "on"), "on", "off"):
		return nil, errWrong
	}
	return u, nil
}

// storagePlace is where uploads live, for people to read: an address without its
// key and secret.
func storagePlace(s string) string {
	if !strings.Contains(s, "@") || strings.HasPrefix(s, "file:") {
		return s
	}
	u, err := url.Parse(s)
	// A secret with a slash in it has its end in the path.
	if err != nil || u.User == nil || strings.Contains(u.Path, "@") {
		return hidden
	}
	u.User = nil
	return u.String()
}

func parseKeys(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	keys := strings.Split(s, ",")
	for i, k := range keys {
		keys[i] = strings.TrimSpace(k)
		if len(keys[i]) < minKeyLength {
			return nil, errWrong
		}
	}
	return keys, nil
}

func parseProxies(s string) ([]netip.Prefix, error) {
	if s == "" {
		return nil, nil
	}
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if ip, err := netip.ParseAddr(part); err == nil && ip.Zone() == "" {
			prefixes = append(prefixes, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p.Masked())
	}
	return prefixes, nil
}

func parseDrain(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err == nil && (d < 0 || d > maxDrain) {
		err = errWrong
	}
	return d, err
}

func parseOffset(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	return time.ParseDuration(s)
}
