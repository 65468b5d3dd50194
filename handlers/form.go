package handlers

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/cdfoundation/portal/models"
)

// Field is one field of a form as its template shows it: with what was typed, and what is wrong with it.
type Field struct {
	Name         string
	Label        string
	Hint         string
	Type         string // text, email, url, date, datetime-local, number …
	Value        string
	Autocomplete string
	Max          int // characters; 0: no limit of its own
	Rows         int // of a text area
	Optional     bool
	Required     bool
	Options      []Option
	List         string // id of a datalist that suggests values
	Digits       bool   // a keyboard of digits is enough
	Error        *FieldError
}

// DescribedBy names the elements that explain the field to a screen reader.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Error != nil {
		ids = append(ids, f.Name+"-error")
	}
	return strings.Join(ids, " ")
}

// Option is a choice of a select field.
type Option struct {
	Value, Label string
	Selected     bool
}

// FieldError is what is wrong with a field, as words that say what to do.
type FieldError struct {
	Field, Message string
}

// FieldErrors are a form's, in the order of its fields.
type FieldErrors []FieldError

// Add notes an error.
func (e *FieldErrors) Add(field, message string) { *e = append(*e, FieldError{field, message}) }

// Take notes what models found wrong with an input, and reports whether err says so.
func (e *FieldErrors) Take(err error) bool {
	wrong, ok := errors.AsType[models.FieldErrors](err)
	for _, field := range wrong {
		e.Add(field.Field, field.Message)
	}
	return ok
}

// Of is the first error of a field, or nil.
func (e FieldErrors) Of(field string) *FieldError {
	for i := range e {
		if e[i].Field == field {
			return &e[i]
		}
	}
	return nil
}

// sentValue is a field of the form that was sent. What stands in its address, fasthttp would prefer; a link could fill in
// what nobody typed, and a password would end in somebody's log.
func sentValue(ctx *fasthttp.RequestCtx, name string) []byte {
	if value := ctx.PostArgs().Peek(name); value != nil {
		return value
	}
	if form, err := ctx.MultipartForm(); err == nil && len(form.Value[name]) > 0 {
		return []byte(form.Value[name][0])
	}
	return nil
}

// typed is a field's value without the spaces around it and with line ends as they are stored.
func typed(c *fiber.Ctx, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(c.FormValue(name), "\r\n", "\n"))
}

// typedAll is every value of a field that may be sent several times.
func typedAll(c *fiber.Ctx, name string) []string {
	var all []string
	if form, err := c.MultipartForm(); err == nil {
		return form.Value[name]
	}
	for _, v := range c.Request().PostArgs().PeekMulti(name) {
		all = append(all, string(v))
	}
	return all
}
