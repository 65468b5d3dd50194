package handlers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// outsideLength is how long somebody may take at the service that tells who they are.
const outsideLength = 10 * time.Minute

// outsideVisit is what the browser keeps meanwhile, signed.
type outsideVisit struct {
	auth.OutsideVisit
	Key  string    `json:"key"`
	Next string    `json:"next"`
	Ends time.Time `json:"ends"`
}

const outsidePurpose = "visit to an outside service"

// outsideCookie is the name of its cookie.
func (a *App) outsideCookie() string {
	if a.Site.Secure() {
		return "__Host-visit"
	}
	return "visit"
}

func (a *App) outside(c *fiber.Ctx) (*auth.Outside, error) {
	for _, service := range a.Outside {
		if service.Key == c.Params("service") {
			return service, nil
		}
	}
	return nil, fmt.Errorf("%w: service", models.ErrNotFound)
}

func (a *App) outsideLinks(next string) (all []NavLink) {
	for _, service := range a.Outside {
		all = append(all, NavLink{URL: withNext(links.LoginWith(service.Key), next), Label: service.Name})
	}
	return all
}

func (a *App) leaveForOutside(c *fiber.Ctx) error {
	private(c)
	service, err := a.outside(c)
	if err != nil {
		return err
	}
	address, visit, err := service.Leave(c.UserContext())
	if err != nil {
		return a.outsideSilent(c, service, err)
	}
	kept, err := json.Marshal(outsideVisit{visit, service.Key, localPath(c.Query("next")), a.Store.Now().Add(outsideLength)})
	if err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString(kept)
	a.setCookie(c, a.outsideCookie(), text+"."+a.Keys.Sign(outsidePurpose, text), a.Store.Now().Add(outsideLength))
	return seeOther(c, address)
}

func (a *App) returnFromOutside(c *fiber.Ctx) error {
	private(c)
	service, err := a.outside(c)
	if err != nil {
		return err
	}
	var visit outsideVisit
	text, signature, _ := strings.Cut(c.Cookies(a.outsideCookie()), ".")
	kept, err := base64.RawURLEncoding.DecodeString(text)
	a.setCookie(c, a.outsideCookie(), "", time.Unix(1, 0))
	if err != nil || !a.Keys.Verify(signature, outsidePurpose, text) || json.Unmarshal(kept, &visit) != nil || visit.Key != service.Key || !a.Store.Now().Before(visit.Ends) {
		return a.outsideRefused(c, "That took too long, or was begun in another browser. Try once more, or have a link mailed to you")
	}
	email, err := service.Return(c.UserContext(), visit.OutsideVisit, c.Query("state"), c.Query("code"))
	if err != nil {
		a.metrics.signedIn(byOutside, err)
	}
	if errors.Is(err, auth.ErrOutside) {
		return a.outsideRefused(c, service.Name+" told us no verified address of yours. Have a link mailed to you instead")
	}
	if err != nil {
		return a.outsideSilent(c, service, err)
	}
	token, next, err := a.Store.SignInFromOutside(c.UserContext(), viewer(c), email, service.Key, c.Get(fiber.HeaderUserAgent), visit.Next)
	a.metrics.signedIn(byOutside, err)
	if errors.Is(err, models.ErrNotFound) {
		return a.outsideRefused(c, "There is no account with the address that "+service.Name+" has of you. Sign in with the one you use here")
	}
	return a.entered(c, token, next, err)
}

func (a *App) outsideRefused(c *fiber.Ctx, words string) error {
	var errs FieldErrors
	errs.Add("email", words)
	return a.askSignIn(c, http.StatusUnprocessableEntity, "", errs)
}

// outsideSilent tells that a service does not answer; there is the mailed link.
func (a *App) outsideSilent(c *fiber.Ctx, service *auth.Outside, err error) error {
	a.Log.LogAttrs(c.UserContext(), slog.LevelWarn, "an outside service does not answer", slog.String("id", requestID(c)),
		slog.String("service", service.Key), slog.String("error", err.Error()))
	var errs FieldErrors
	errs.Add("email", service.Name+" does not answer at the moment. Have a link mailed to you instead")
	return a.askSignIn(c, http.StatusServiceUnavailable, "", errs)
}
