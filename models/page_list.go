package models

import (
	"context"
	"strings"
)

// PageRow is a plain page as navigation shows it.
type PageRow struct {
	Path        string
	Title       string
	Description string
}

// PageByPath is the page at a path without a leading slash.
func (s *Store) PageByPath(ctx context.Context, path string) (Page, error) {
	var found Page
	err := s.read(ctx).Where("path = ?", path).Take(&found).Error
	return one(found, err, "page", path)
}

// Siblings lists the pages in the same folder as the page at path, itself included, in their order.
func (s *Store) Siblings(ctx context.Context, path string) ([]PageRow, error) {
	folder := path[:strings.LastIndexByte(path, '/')+1]
	q := s.read(ctx).Table("pages").Select("path, title, description").Where("path NOT LIKE ?", folder+"%/%")
	if folder != "" {
		q = q.Where("path LIKE ?", folder+"%")
	}
	var rows []PageRow
	err := q.Order("position, path").Find(&rows).Error
	return rows, translate(err)
}
