package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime/multipart"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/picture"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// UploadFields are the fields of a picture to upload: name for the file, name_alt, name_decorative, name_credit.
type UploadFields struct {
	Name      string
	MaxBytes  int
	Error     *FieldError
	Alt       Field
	Credit    Field
	HasCredit bool
}

// newUploadFields shows what was typed again unless it went with a picture that was taken.
func newUploadFields(c *fiber.Ctx, name string, errs FieldErrors) UploadFields {
	u := UploadFields{
		Name: name, MaxBytes: picture.MaxBytes, Error: errs.Of(name), HasCredit: true,
		Alt: Field{
			Name: name + "_alt", Label: "What it shows", Type: "text", Max: 400, Optional: true, Error: errs.Of(name + "_alt"),
			Hint: "For those who do not see it, in a sentence.",
		},
		Credit: Field{Name: name + "_credit", Label: "Credit", Type: "text", Max: 200, Optional: true, Hint: "Who made it.", Error: errs.Of(name + "_credit")},
	}
	if _, err := c.FormFile(name); err != nil || u.Error != nil || u.Alt.Error != nil || u.Credit.Error != nil {
		u.Alt.Value, u.Credit.Value = typed(c, u.Alt.Name), typed(c, u.Credit.Name)
	}
	return u
}

// sentFile is the file that a form sends in a field, or nil.
func sentFile(c *fiber.Ctx, name string) *multipart.FileHeader {
	header, err := c.FormFile(name)
	if err != nil || header.Size == 0 && header.Filename == "" {
		return nil
	}
	return header
}

// uploaded keeps the picture that a form sends in a field, with its description. It is nil when none was sent.
func (a *App) uploaded(c *fiber.Ctx, name string) (medium *models.Medium, errs FieldErrors, err error) {
	header := sentFile(c, name)
	if header == nil {
		return nil, nil, nil
	}
	alt, decorative := typed(c, name+"_alt"), typed(c, name+"_decorative") != ""
	switch {
	case alt == "" && !decorative:
		errs.Add(name+"_alt", "Say what the picture shows, or that it is only decoration; then choose the file again")
	case alt != "" && models.JunkAlt(alt):
		errs.Add(name+"_alt", fmt.Sprintf("“%s” does not say what the picture shows. Describe it in a sentence; then choose the file again", alt))
	}
	if utf8.RuneCountInString(alt) > 1000 {
		errs.Add(name+"_alt", "Shorten the description; then choose the file again")
	}
	if utf8.RuneCountInString(typed(c, name+"_credit")) > 300 {
		errs.Add(name+"_credit", "Shorten the credit; then choose the file again")
	}
	if len(errs) > 0 {
		return nil, errs, nil
	}
	if decorative {
		alt = ""
	}
	return a.keepPicture(c, header, name, alt, typed(c, name+"_credit"))
}

// keepPicture keeps the picture that was sent in a field.
func (a *App) keepPicture(c *fiber.Ctx, header *multipart.FileHeader, name, alt, credit string) (medium *models.Medium, errs FieldErrors, err error) {
	file, err := header.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open upload: %w", err)
	}
	defer func() { _ = file.Close() }()
	p, err := picture.Read(file)
	if errors.Is(err, picture.ErrFormat) || errors.Is(err, picture.ErrTooLarge) || errors.Is(err, picture.ErrTooManyPx) {
		errs.Add(name, "Choose another file: "+err.Error())
		return nil, errs, nil
	}
	if err != nil {
		return nil, nil, err
	}
	// The same picture of two people is two: each may use only their own.
	sum := sha256.Sum256(fmt.Appendf(p.Bytes, "\x00%s\x00%s\x00%d", alt, credit, viewer(c).UserID))
	m := models.Medium{
		Name: hex.EncodeToString(sum[:12]) + p.Extension, ContentType: p.ContentType, Width: p.Width, Height: p.Height,
		Size: int64(len(p.Bytes)), Alt: alt, Credit: credit,
	}
	// Under its name, which holds a hash of it, there is never another.
	err = a.Uploads.Put(c.UserContext(), m.Name, p.Bytes)
	if errors.Is(err, storage.ErrUnavailable) {
		a.fault(c, err)
		errs.Add(name, "Pictures cannot be kept at the moment. Go on without it, or choose the file again in a minute")
		return nil, errs, nil
	}
	if err != nil {
		return nil, nil, err
	}
	m, err = a.Store.AddMedium(c.UserContext(), viewer(c), m)
	return &m, nil, err
}

// showMedium serves an uploaded picture, which never changes under its name.
func (a *App) showMedium(c *fiber.Ctx) error {
	medium, err := a.Store.MediumByName(c.UserContext(), c.Params("name"))
	if err != nil {
		return err
	}
	tag := `"` + medium.Name + `"`
	var content []byte
	known := unchanged(&c.Request().Header, tag, medium.CreatedAt)
	if !known {
		content, err = a.Uploads.Read(c.UserContext(), medium.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: the file of picture %q", models.ErrNotFound, medium.Name)
	}
	if err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, medium.ContentType)
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
	c.Set(fiber.HeaderETag, tag)
	if known {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(content)
}
