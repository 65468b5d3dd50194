package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AdminProfile is the editor of an ambassador's profile.
type AdminProfile struct {
	Layout
	Own        bool
	ProfileID  int64
	PersonName string
	Action     string
	State      State
	Public     string // the address for readers, once it is public
	CanPublish bool
	Version    int64
	Errors     FieldErrors
	Stale      *StaleText
	PhotoID    int64
	Photo      *Picture
	Upload     UploadFields
	Body       string

	Name, Title, Employer, Pronouns  Field
	City, Country                    Field
	Latitude, Longitude              Field
	Languages, Topics, Handle, Quote Field
	LinkRows                         []LinkRow
	LinksError, BioErr               *FieldError
	Findings                         []Finding
}

// LinkRow is one link in a form.
type LinkRow struct {
	Number     int
	Label, URL string
}

func (a *App) showOwnProfile(c *fiber.Ctx) error {
	v := viewer(c)
	if v.AmbassadorID == 0 {
		return fmt.Errorf("%w: own profile", models.ErrNotFound)
	}
	return a.showProfile(c, v.AmbassadorID)
}

func (a *App) showAnyProfile(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	return a.showProfile(c, id)
}

func (a *App) showProfile(c *fiber.Ctx, id int64) error {
	p, err := a.Store.DeskAmbassador(c.UserContext(), viewer(c), id)
	if err != nil {
		return err
	}
	return a.profilePage(c, http.StatusOK, p, typedProfileOf(p), editorState{})
}

// profileForm is a profile's edit with the fields whose typed form is kept beside what it means.
type profileForm struct {
	models.ProfileEdit

	latitude, longitude string
}

func typedProfileOf(p models.Ambassador) profileForm {
	f := profileForm{ProfileEdit: models.ProfileEdit{
		Version: p.Version, Name: p.Name, Title: p.Title, Employer: p.Employer, City: p.City, Country: p.Country, Latitude: p.Latitude,
		Longitude: p.Longitude, Pronouns: p.Pronouns, Languages: p.Languages, Topics: p.Topics, Links: p.Links, Handle: p.Handle,
		Quote: p.Quote, PhotoID: idOf(p.PhotoID), Markdown: p.Markdown,
	}}
	if p.Latitude != nil && p.Longitude != nil {
		f.latitude, f.longitude = strconv.FormatFloat(*p.Latitude, 'f', -1, 64), strconv.FormatFloat(*p.Longitude, 'f', -1, 64)
	}
	return f
}

func typedProfile(c *fiber.Ctx) (f profileForm, errs FieldErrors) {
	f.latitude, f.longitude = typed(c, "latitude"), typed(c, "longitude")
	f.ProfileEdit = models.ProfileEdit{
		Version: typedID(c, "version"), Name: typed(c, "name"), Title: typed(c, "title"), Employer: typed(c, "employer"), City: typed(c, "city"),
		Country: typed(c, "country"), Pronouns: typed(c, "pronouns"), Languages: typedWords(c, "languages"), Topics: typedWords(c, "topics"),
		Handle: typed(c, "handle"), Quote: typed(c, "quote"), PhotoID: typedID(c, "photo_id"),
		Markdown: strings.ReplaceAll(c.FormValue("bio"), "\r\n", "\n"),
	}
	for _, coordinate := range []struct {
		field, typed string
		into         **float64
	}{{"latitude", f.latitude, &f.Latitude}, {"longitude", f.longitude, &f.Longitude}} {
		if coordinate.typed == "" {
			continue
		}
		n, err := strconv.ParseFloat(coordinate.typed, 64)
		if err != nil || n != n {
			errs.Add(coordinate.field, "Enter degrees as a number, such as −41.29 as -41.29")
			continue
		}
		*coordinate.into = &n
	}
	urls := typedAll(c, "link_url")
	for i, label := range typedAll(c, "link_label") {
		if i < len(urls) && (strings.TrimSpace(label) != "" || strings.TrimSpace(urls[i]) != "") {
			f.Links = append(f.Links, models.Link{Label: strings.TrimSpace(label), URL: strings.TrimSpace(urls[i])})
		}
	}
	return f, errs
}

// typedWords is a field of words with commas between them.
func typedWords(c *fiber.Ctx, name string) (words []string) {
	for word := range strings.SplitSeq(typed(c, name), ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

func (a *App) saveOwnProfile(c *fiber.Ctx) error {
	v := viewer(c)
	if v.AmbassadorID == 0 {
		return fmt.Errorf("%w: own profile", models.ErrNotFound)
	}
	return a.saveProfile(c, v.AmbassadorID, links.DeskProfile)
}

func (a *App) saveAnyProfile(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	return a.saveProfile(c, id, links.DeskAmbassador(id))
}

func (a *App) saveProfile(c *fiber.Ctx, id int64, next string) error {
	p, err := a.Store.DeskAmbassador(c.UserContext(), viewer(c), id)
	if err != nil {
		return err
	}
	form, errs := typedProfile(c)
	if typed(c, "photo_remove") != "" {
		form.PhotoID = 0
	}
	medium, wrong, err := a.uploaded(c, "photo")
	if err != nil {
		return err
	}
	if medium != nil {
		form.PhotoID = medium.ID
	}
	if errs = append(errs, wrong...); len(errs) > 0 {
		return a.profilePage(c, http.StatusUnprocessableEntity, p, form, editorState{errs: errs})
	}
	err = a.Store.SaveProfile(c.UserContext(), viewer(c), id, form.ProfileEdit)
	if errs.Take(err) {
		return a.profilePage(c, http.StatusUnprocessableEntity, p, form, editorState{errs: errs})
	}
	if errors.Is(err, models.ErrStale) {
		if p, err = a.Store.DeskAmbassador(c.UserContext(), viewer(c), id); err != nil {
			return err
		}
		form.Version = p.Version
		return a.profilePage(c, http.StatusConflict, p, form, editorState{stale: true})
	}
	if err != nil {
		return err
	}
	a.flash(c, "saved")
	return seeOther(c, next)
}

func (a *App) publishProfile(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Store.PublishProfile(c.UserContext(), viewer(c), id); err != nil {
		return err
	}
	a.flash(c, "profile-published")
	return seeOther(c, links.DeskAmbassador(id))
}

func (a *App) profilePage(c *fiber.Ctx, status int, p models.Ambassador, form profileForm, state editorState) error {
	v := viewer(c)
	errs := state.errs
	own := p.ID == v.AmbassadorID
	title := p.Name
	if own {
		title = "Your profile"
	}
	field := func(name, label, hint, value string) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: value, Max: 200, Optional: true, Error: errs.Of(name)}
	}
	data := AdminProfile{
		Layout: a.deskLayout(c, "Profile", title), Own: own, ProfileID: p.ID, PersonName: p.Name, Action: links.DeskAmbassador(p.ID), Version: form.Version, Errors: errs,
		PhotoID: form.PhotoID, Upload: newUploadFields(c, "photo", errs), Body: form.Markdown, BioErr: errs.Of("bio"), LinksError: errs.Of("links"),
		State: State{"Draft", "warn"}, CanPublish: v.Can(models.ManagePeople, models.Object{}) && p.Status == models.AmbassadorDraft && p.Markdown != "",
		Name: field("name", "Name", "As you want to be called.", form.Name), Title: field("title", "Title", "What you do.", form.Title),
		Employer: field("employer", "Employer", "", form.Employer), Pronouns: field("pronouns", "Pronouns", "", form.Pronouns),
		City: field("city", "City", "", form.City), Country: field("country", "Country", "Its two letters, such as NZ.", form.Country),
		Latitude:  field("latitude", "Latitude", "Of the city, in degrees. With both you stand on the map.", form.latitude),
		Longitude: field("longitude", "Longitude", "", form.longitude),
		Languages: field("languages", "Languages", "Those people can write to you in, as tags: en, de, zh-Hans.", strings.Join(form.Languages, ", ")),
		Topics:    field("topics", "Topics", "What people can ask you about, with commas between.", strings.Join(form.Topics, ", ")),
		Handle:    field("handle", "Twitter name", "", form.Handle),
		Quote:     field("quote", "A sentence of yours", "Stands large above your words.", form.Quote),
	}
	data.Name.Optional, data.Name.Required, data.Country.Max, data.Quote.Max, data.Topics.Max = false, true, 2, 500, 1000
	if own {
		data.Action = links.DeskProfile
	}
	if p.Status == models.AmbassadorPublished {
		data.State, data.Public = State{"Published", "ok"}, links.Ambassador(p.Slug)
	}
	for i, link := range append(append([]models.Link{}, form.Links...), models.Link{}, models.Link{}) {
		data.LinkRows = append(data.LinkRows, LinkRow{i + 1, link.Label, link.URL})
	}
	if form.PhotoID != 0 {
		if photo, err := a.Store.Medium(c.UserContext(), form.PhotoID); err == nil {
			data.Photo = newPicture(photo)
		}
	}
	preview, err := a.postPreview(c, "", "", form.Markdown, "en")
	if err != nil {
		return err
	}
	data.Findings = preview.Findings
	if state.stale {
		data.Stale = &StaleText{Title: p.Name, When: p.UpdatedAt.In(location(v.Timezone)), Lines: diffLines(profileText(form), profileText(typedProfileOf(p)))}
	}
	data.Scripts = append(data.Scripts, "js/form.js", "js/toolbar.js", "js/upload.js")
	return show(c, status, a.pages.adminProfile, data)
}

// profileText is everything written in a profile as lines, so that two versions of it can be compared.
func profileText(f profileForm) string {
	lines := []string{
		"Name: " + f.Name, "Title: " + f.Title, "Employer: " + f.Employer, "City: " + f.City + " " + f.Country, "Place: " + f.latitude + " " + f.longitude,
		"Pronouns: " + f.Pronouns, "Languages: " + strings.Join(f.Languages, ", "), "Topics: " + strings.Join(f.Topics, ", "), "Handle: " + f.Handle, "Quote: " + f.Quote,
	}
	for _, link := range f.Links {
		lines = append(lines, link.Label+": "+link.URL)
	}
	return strings.Join(append(lines, "", f.Markdown), "\n")
}
