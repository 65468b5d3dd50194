package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/models"
)

// secretKeys are the keys that sign links: those of the settings or, where none are set, one that is made once and
// kept, in the data dir beside a SQLite file and in the database where several machines share one.
func secretKeys(ctx context.Context, c config.Config, db *database.DB, tick clock.Clock) (auth.Keys, error) {
	if given := c.Keys(); len(given) > 0 {
		keys := make(auth.Keys, len(given))
		for i, key := range given {
			keys[i] = []byte(key)
		}
		return keys, nil
	}
	fresh := auth.NewToken() + auth.NewToken()
	if !db.SQLite() {
		key, err := models.NewStore(db.Reader, db.Writer, tick, nil).KeepSetting(ctx, "secret_key", fresh)
		return auth.Keys{[]byte(key)}, err
	}
	path := filepath.Join(c.DataDir, "secret")
	kept, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err == nil {
		return auth.Keys{[]byte(strings.TrimSpace(string(kept)))}, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return auth.Keys{[]byte(fresh)}, writeSecret(c, fresh)
}

func writeSecret(c config.Config, key string) error {
	err := os.MkdirAll(c.DataDir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(c.DataDir, "secret"), []byte(key+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("secret key: %w", err)
	}
	return nil
}

// keepSecret keeps a key that was made elsewhere where secretKeys looks for one, and refuses when another is there:
// the links that it made would end.
func keepSecret(ctx context.Context, c config.Config, db *database.DB, key string) error {
	if len(c.Keys()) > 0 {
		return nil
	}
	if db.SQLite() {
		if _, err := os.Lstat(filepath.Join(c.DataDir, "secret")); errors.Is(err, os.ErrNotExist) {
			return writeSecret(c, key)
		}
	}
	tick := clock.System(c.Offset())
	if !db.SQLite() {
		if _, err := models.NewStore(db.Reader, db.Writer, tick, nil).KeepSetting(ctx, "secret_key", key); err != nil {
			return err
		}
	}
	kept, err := secretKeys(ctx, c, db, tick)
	if err == nil && string(kept[0]) != key {
		err = errors.New("another secret key is kept here: move it away, or name that of the backup in PORTAL_SECRET_KEY")
	}
	return err
}
