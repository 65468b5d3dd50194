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
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if err := os.WriteFile(path, []byte(fresh+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return auth.Keys{[]byte(fresh)}, nil
}
