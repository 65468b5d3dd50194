package models

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// List is a short list that one column holds as JSON: an empty list is [], never NULL.
type List[T any] []T

// Value is the list as JSON.
func (l List[T]) Value() (driver.Value, error) {
	if l == nil {
		return "[]", nil
	}
	b, err := json.Marshal([]T(l))
	return string(b), err
}

// Scan reads the list from JSON.
func (l *List[T]) Scan(stored any) error {
	switch s := stored.(type) {
	case string:
		return json.Unmarshal([]byte(s), (*[]T)(l))
	case []byte:
		return json.Unmarshal(s, (*[]T)(l))
	}
	return fmt.Errorf("a list is stored as JSON text, not as %T", stored)
}
