package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// statuses gives each kind of refusal its status. Whatever is not in it is a fault of ours: 500.
var statuses = []struct {
	kind   error
	status int
}{
	{models.ErrNotFound, http.StatusNotFound},
	{models.ErrGone, http.StatusGone},
	{models.ErrForbidden, http.StatusForbidden},
	{models.ErrConflict, http.StatusConflict},
	{models.ErrInvalid, http.StatusUnprocessableEntity},
	{models.ErrTooMany, http.StatusTooManyRequests},
	{models.ErrUnavailable, http.StatusServiceUnavailable},
	{storage.ErrUnavailable, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
	{context.Canceled, http.StatusServiceUnavailable},
	{errBadRequest, http.StatusBadRequest},
}

// errorWords is what a status tells people: what happened, and what to do next.
var errorWords = map[int]struct{ heading, words string }{
	400: {"We could not read that", "Your browser sent something that we do not understand. Go back and try once more."},
	403: {"This did not come from our site", "The form was sent from another page than ours, so we left everything as it was. Open the page here and send it again."},
	404: {"There is nothing here", "The address may be mistyped, or what was here has moved. Search for it, or start from one of these."},
	405: {"That is not how this address works", "Open the page first and use what is on it."},
	409: {"That is no longer possible", "Things changed in the meantime. Go back, reload the page and look at where it stands now."},
	410: {"This was taken away", "It was here once and has been removed, or the link has been used or has ended."},
	413: {"That is too large", "At the desk a picture may have up to 10 MB, a text up to 256 KB. Make it smaller, or sign in again if you were signed out, and send it once more."},
	422: {"Something in it is not right", "Go back and look at what you typed."},
	429: {"That was a lot at once", "Wait a minute, then try again. Nothing is lost."},
	500: {"Something broke on our side", "It is not your doing, and we have written it down. Try again in a moment."},
	503: {"We are short of breath", "The portal is busy or being looked after. Try again in a minute; nothing was changed."},
}

// uncertain is what 503 tells people whose change may have been kept.
const (
	uncertainHeading = "We cannot tell whether that was kept"
	uncertainWords   = "The database went away while it kept your change. Look whether it is there, or whether we mailed you, before you send it again."
)

// ErrorShow is the page for a refusal or a fault.
type ErrorShow struct {
	Layout
	Status    int
	Heading   string
	Words     string
	Actions   []NavLink
	RequestID string
}

func statusOf(err error) int {
	if fe, ok := errors.AsType[*fiber.Error](err); ok {
		return fe.Code
	}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// showError is the one place that turns an error into an answer: a page, or problem+json (RFC 9457) under /api.
func (a *App) showError(c *fiber.Ctx, err error) error {
	if len(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy)) == 0 {
		a.secure(c) // the server refused the request before anything of ours saw it
	}
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		a.fault(c, err)
	}
	words, ok := errorWords[status]
	if !ok {
		status = http.StatusBadRequest
		if statusOf(err) >= http.StatusInternalServerError {
			status = http.StatusInternalServerError
		}
		words = errorWords[status]
	}
	if errors.Is(err, models.ErrUncertain) {
		words.heading, words.words = uncertainHeading, uncertainWords
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().Header.Del(fiber.HeaderETag)
	if strings.HasPrefix(c.Path(), "/api/") {
		return a.showProblem(c, status, words.heading, words.words)
	}
	page, data := a.pages.errorShow, ErrorShow{
		Layout: a.layout(c, words.heading, words.words), Status: status, Heading: words.heading, Words: words.words, RequestID: requestID(c),
		Actions: []NavLink{{URL: links.Home, Label: "Home"}, {URL: links.Events, Label: "Events"}, {URL: links.Blog, Label: "Blog"}},
	}
	if status >= http.StatusInternalServerError {
		data.Actions = append(data.Actions, NavLink{URL: "mailto:" + data.Contact, Label: "Write to us"})
	}
	data.Canonical, data.Share, data.Robots = "", nil, "noindex"
	if strings.HasPrefix(c.Path(), links.Desk+"/") && viewer(c).Can(models.UseDesk, models.Object{}) {
		page, data.Layout = a.pages.errorDesk, a.deskLayout(c, "Desk", words.heading)
		data.Actions = []NavLink{{URL: links.Desk, Label: "Back to the desk"}}
		if status == http.StatusNotFound {
			data.Words = "The address may be mistyped, or it leads to something that is not yours to look after."
		}
	}
	body, renderErr := page.Render(data)
	if renderErr != nil {
		a.fault(c, renderErr)
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
		return c.Status(status).SendString(words.heading + ". " + words.words)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(body)
}

func (a *App) showProblem(c *fiber.Ctx, status int, title, detail string) error {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", title, status, detail})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(status).Send(body)
}
