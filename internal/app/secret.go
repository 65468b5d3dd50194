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

// secretSetting is where the key is kept in a database that several machines share.
const secretSetting = "secret_key"

// secretKeys are the keys that sign links: those of the settings or, where none are set, one that is made once and
// kept, in the data dir beside a SQLite file and in the database where several machines share one. None is made where
// people hold links already, which another key would end.
func secretKeys(ctx context.Context, c config.Config, db *database.DB, tick clock.Clock) (auth.Keys, error) {
	if given := c.Keys(); len(given) > 0 {
		keys := make(auth.Keys, len(given))
		for i, key := range given {
			keys[i] = []byte(key)
		}
		return keys, nil
	}
	store := models.NewStore(db.Reader, db.Writer, tick, nil)
	kept, err := keptSecret(ctx, c, db, store)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if kept == "" {
		held, err := store.HasRegistrations(ctx)
		if err == nil && held {
			err = errors.New("no secret key is kept, and people hold links that one has signed: name it in PORTAL_SECRET_KEY, as the service has it")
		}
		if err == nil {
			kept, err = keepSecret(ctx, c, db, store, auth.NewToken()+auth.NewToken())
		}
		if err != nil {
			return nil, err
		}
	}
	return auth.Keys{[]byte(kept)}, nil
}

// keptSecret is the key that is kept, empty when none is.
func keptSecret(ctx context.Context, c config.Config, db *database.DB, store *models.Store) (string, error) {
	if !db.SQLite() {
		kept, err := store.Setting(ctx, secretSetting)
		if errors.Is(err, models.ErrNotFound) {
			err = nil
		}
		return kept, err
	}
	kept, err := os.ReadFile(filepath.Join(c.DataDir, "secret"))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return strings.TrimSpace(string(kept)), err
}

// keepSecret keeps a key where none is kept and returns the one that is: of several processes that start together on one
// database, the first one's.
func keepSecret(ctx context.Context, c config.Config, db *database.DB, store *models.Store, key string) (string, error) {
	if !db.SQLite() {
		return store.KeepSetting(ctx, secretSetting, key)
	}
	err := os.MkdirAll(c.DataDir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(c.DataDir, "secret"), []byte(key+"\n"), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("secret key: %w", err)
	}
	return key, nil
}
