package handlers

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// AdminPostList is the desk's list of posts.
type AdminPostList struct {
	Layout
	Views  []ListView
	Query  string
	Status string
	Posts  []AdminPostLine
	Empty  bool // there is no post at all
	Pager
}

// ListView is one of the views of a list, as a link.
type ListView struct {
	URL, Label string
	Count      int
	Current    bool
}

// AdminPostLine is a post in the desk's list.
type AdminPostLine struct {
	URL, Title, By string
	State          State
	Note           string
	When           time.Time
	Sample         bool
	Action         string // the word on its button
}

// State is a state as a badge: words, and a tone that is ok, warn, bad or empty.
type State struct {
	Words, Tone string
}

func postState(status models.PostStatus, publishAt *time.Time, now time.Time) State {
	switch status {
	case models.PostDraft:
		return State{"Draft", ""}
	case models.PostSubmitted:
		return State{"Waits for review", "warn"}
	case models.PostChangesAsked:
		return State{"Changes asked", "warn"}
	case models.PostPublished:
		if publishAt != nil && publishAt.After(now) {
			return State{"Scheduled", "ok"}
		}
		return State{"Published", "ok"}
	case models.PostDeclined:
		return State{"Declined", "bad"}
	case models.PostWithdrawn:
		return State{"Withdrawn", "bad"}
	}
	return State{}
}

func newAdminPostLine(row models.DeskPost, zone *time.Location, now time.Time) AdminPostLine {
	line := AdminPostLine{
		URL: links.DeskPost(row.ID), Title: row.Title, By: byWords(row.Authors), State: postState(row.Status, row.PublishAt, now),
		When: row.UpdatedAt.In(zone), Sample: row.Sample, Action: "Edit",
	}
	switch {
	case row.Status == models.PostSubmitted:
		line.URL, line.Action = links.DeskReview(row.ID), "Review"
	case row.Status == models.PostPublished && row.PublishAt != nil:
		line.When = row.PublishAt.In(zone)
	case row.Status == models.PostChangesAsked || row.Status == models.PostDeclined:
		line.Note = row.Comment
	}
	return line
}

// AdminPostEdit is the editor of a post.
type AdminPostEdit struct {
	Layout
	Heading   string
	Action    string // where the form goes
	DraftKey  string // under which the browser keeps a copy
	State     State
	Version   int64
	Title     string
	Excerpt   string
	Body      string
	Errors    FieldErrors
	Stale     *StaleText
	Asked     *ReviewStep // what staff asked to change, while that stands
	Preview   PostPreview
	Staff     bool
	CanSubmit bool
	ReviewURL string // empty for a post that is not saved yet

	Slug        Field
	Language    Field
	Licence     Field
	Categories  []Option
	Tags        Field
	KnownTags   []string
	Bylines     []BylineRow
	KnownNames  []string
	BylineError *FieldError
	Series      Field
	NewSeries   Field
	Group       *Field // nil: the viewer has no group
	Introduces  Field
	Announces   Field
	SourceName  Field
	SourceBy    Field
	SourceURL   Field
	Cover       *Picture
	CoverID     int64
	Upload      UploadFields
	DetailsOpen bool
}

// BylineRow is one author in the editor.
type BylineRow struct {
	Number                int
	Name, Title, Employer string
}

// StaleText is what somebody else saved while the form was open.
type StaleText struct {
	Person         string
	When           time.Time
	Title, Excerpt string
	Lines          []DiffLine
}

// PostPreview is a post's text as readers will see it, with what its author should know.
type PostPreview struct {
	Title, Excerpt, Language string
	HTML                     template.HTML
	Words, Minutes           int
	Findings                 []Finding
}

// Finding is something in a text that will not come out as its author may expect.
type Finding struct {
	Line    int // 0: of the whole text
	Message string
}

// Picture is an uploaded picture as a form shows it.
type Picture struct {
	URL, Alt, Credit string
	Width, Height    int
}

func newPicture(m models.Medium) *Picture {
	return &Picture{URL: links.Media(m.Name), Alt: m.Alt, Credit: m.Credit, Width: m.Width, Height: m.Height}
}

// editOf is what a form starts from.
func editOf(p models.Post, filing models.PostFiling) models.PostEdit {
	edit := models.PostEdit{
		Version: p.Version, Title: p.Title, Slug: p.Slug, Excerpt: p.Excerpt, Markdown: p.Markdown, Language: p.Language,
		Licence: p.Licence, SourceName: p.SourceName, SourceAuthor: p.SourceAuthor, SourceURL: p.SourceURL,
		SeriesID: idOf(p.SeriesID), GroupID: idOf(p.GroupID), IntroducesID: idOf(p.IntroducesID), AnnouncesID: idOf(p.AnnouncesID),
		CoverID: idOf(p.CoverID),
	}
	for _, category := range filing.Categories {
		edit.CategoryIDs = append(edit.CategoryIDs, category.ID)
	}
	for _, tag := range filing.Tags {
		edit.Tags = append(edit.Tags, tag.Name)
	}
	for _, b := range filing.Bylines {
		edit.Bylines = append(edit.Bylines, models.BylineEdit{Name: b.Name, Title: b.Title, Employer: b.Employer})
	}
	return edit
}

func idOf(key *int64) int64 {
	if key == nil {
		return 0
	}
	return *key
}

// licences are what a post may be published under.
var licences = []Option{
	{Value: "CC-BY-4.0", Label: "Creative Commons Attribution 4.0"},
	{Value: "CC-BY-SA-4.0", Label: "Creative Commons Attribution-ShareAlike 4.0"},
	{Value: "CC0-1.0", Label: "Public domain (CC0)"},
	{Value: "LicenseRef-permission", Label: "All rights reserved, published with permission"},
}

// newAdminPostEdit maps a post, and what was typed about it, to its editor.
func newAdminPostEdit(p models.Post, edit models.PostEdit, choices models.PostChoices, errs FieldErrors, staff bool, now time.Time) AdminPostEdit {
	field := func(name, label, hint, value string) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: value, Max: 200, Optional: true, Error: errs.Of(name)}
	}
	data := AdminPostEdit{
		Heading: "New post", Action: links.DeskPosts, DraftKey: "post-new", Version: edit.Version, Title: edit.Title, Excerpt: edit.Excerpt,
		Body: edit.Markdown, Errors: errs, Staff: staff, CoverID: edit.CoverID, State: State{Words: "Not saved yet"},
		CanSubmit: !staff && (p.ID == 0 || p.Status == models.PostDraft || p.Status == models.PostChangesAsked),
		Slug:      field("slug", "Address", "Stands behind "+links.Blog+"/. Left empty, it is made from the title.", edit.Slug),
		Language:  field("language", "Language", "A tag such as en, de or zh-Hans.", edit.Language),
		Licence:   Field{Name: "licence", Label: "Licence", Options: chosenOption(licences, edit.Licence)},
		Tags:      field("tags", "Tags", "Topics, with commas between them.", strings.Join(edit.Tags, ", ")),
		NewSeries: field("new_series", "Or a new series", "Its title.", edit.NewSeries),
		SourceName: field("source_name", "First published on", "The site's name, if this was published elsewhere. Publish here only what you have permission for.",
			edit.SourceName),
		SourceBy: field("source_author", "There by", "", edit.SourceAuthor), SourceURL: field("source_url", "Address there", "", edit.SourceURL),
		BylineError: errs.Of("bylines"),
	}
	data.SourceURL.Type, data.SourceURL.Max, data.Tags.Max, data.Slug.Max = "url", 1000, 600, 80
	data.DetailsOpen = p.ID == 0
	for _, e := range errs {
		data.DetailsOpen = data.DetailsOpen || e.Field != "title" && e.Field != "excerpt" && e.Field != "body"
	}
	if p.ID != 0 {
		data.Heading, data.Action, data.DraftKey = p.Title, links.DeskPost(p.ID), fmt.Sprintf("post-%d", p.ID)
		data.State, data.ReviewURL = postState(p.Status, p.PublishAt, now), links.DeskReview(p.ID)
		if p.PublishAt != nil {
			data.Slug.Hint = "Stands behind " + links.Blog + "/. The present address will lead to the new one."
		}
	}
	for _, category := range choices.Categories {
		data.Categories = append(data.Categories, Option{
			Value: strconv.FormatInt(category.ID, 10), Label: category.Name, Selected: slices.Contains(edit.CategoryIDs, category.ID),
		})
	}
	for _, tag := range choices.Tags {
		data.KnownTags = append(data.KnownTags, tag.Name)
	}
	for _, byline := range choices.Bylines {
		data.KnownNames = append(data.KnownNames, byline.Name)
	}
	for _, b := range append(slices.Clone(edit.Bylines), models.BylineEdit{}) {
		data.Bylines = append(data.Bylines, BylineRow{len(data.Bylines) + 1, b.Name, b.Title, b.Employer})
	}
	data.Series = selection("series", "Series", "In none", edit.SeriesID, choices.Series, func(s models.PostSeries) (int64, string) { return s.ID, s.Title })
	data.Introduces = selection("introduces", "Introduces", "Nobody", edit.IntroducesID, choices.Ambassadors, func(s models.Ambassador) (int64, string) { return s.ID, s.Name })
	data.Announces = selection("announces", "Announces", "No event", edit.AnnouncesID, choices.Events, func(e models.Event) (int64, string) {
		return e.ID, e.Title + ", " + e.StartsAt.In(location(e.Timezone)).Format("2 January 2006")
	})
	data.Announces.Error = errs.Of("announces")
	if len(choices.Groups) > 0 {
		group := selection("group", "Group", "Of no group", edit.GroupID, choices.Groups, func(g models.Group) (int64, string) { return g.ID, g.Name })
		group.Error = errs.Of("group")
		data.Group = &group
	}
	return data
}

// selection is a select field over rows, with a first choice for none of them.
func selection[T any](name, label, none string, chosen int64, rows []T, of func(T) (int64, string)) Field {
	f := Field{Name: name, Label: label, Options: []Option{{Value: "0", Label: none, Selected: chosen == 0}}}
	for _, row := range rows {
		id, label := of(row)
		f.Options = append(f.Options, Option{Value: strconv.FormatInt(id, 10), Label: label, Selected: id == chosen})
	}
	return f
}

// chosenOption is the options with one chosen; a value that is none of them becomes one.
func chosenOption(options []Option, value string) []Option {
	options = slices.Clone(options)
	known := false
	for i := range options {
		options[i].Selected = options[i].Value == value
		known = known || options[i].Selected
	}
	if !known && value != "" {
		options = append(options, Option{Value: value, Label: value, Selected: true})
	}
	return options
}

// AdminPostReview is a post's text beside what may be decided about it, and its history.
type AdminPostReview struct {
	Layout
	Title     string
	Language  string
	Excerpt   string
	By        string
	State     State
	PublishAt *time.Time // in the viewer's zone
	Public    string     // the address for readers, once it is public
	HTML      template.HTML
	Words     int
	Minutes   int
	Version   int64
	Errors    FieldErrors
	Why       string // why the viewer cannot edit
	EditURL   string // empty when the viewer cannot
	Comment   Field
	When      Field
	Later     bool
	Zone      string

	CanSubmit, CanPublish, CanSendBack, CanWithdraw bool

	Action  string
	Steps   []ReviewStep
	Earlier []ReviewStep
}

// ReviewStep is a line of a post's history.
type ReviewStep struct {
	Face  Face
	Words string
	Said  string
	When  time.Time
	URL   string
}

var stepWords = map[models.PostStatus]string{
	models.PostDraft: "made it a draft again", models.PostSubmitted: "sent it to review", models.PostChangesAsked: "asked for changes",
	models.PostPublished: "published it", models.PostDeclined: "declined it", models.PostWithdrawn: "withdrew it",
}

func newAdminPostReview(p models.Post, filing models.PostFiling, reviews, revisions []models.PostStep, form reviewForm, v models.Viewer, now time.Time) AdminPostReview {
	zone := location(v.Timezone)
	staff := v.Can(models.ReviewPosts, models.Object{})
	data := AdminPostReview{
		Title: p.Title, Language: foreign(p.Language), Excerpt: p.Excerpt, By: byWords(filing.Bylines), State: postState(p.Status, p.PublishAt, now), HTML: blessed(p.HTML),
		Words: p.Words, Minutes: minutesToRead(p.Words), Version: p.Version, Errors: form.errs, Action: links.DeskPost(p.ID),
		Zone: now.In(zone).Format("MST"), Later: form.at != "",
		Comment: Field{
			Name: "comment", Label: "Words to the author", Rows: 3, Value: form.comment, Error: form.errs.Of("comment"),
			Hint: "Needed to ask for changes or to decline; the author gets them by mail.",
		},
		When: Field{
			Name: "publish_at", Label: "Day and time", Type: "datetime-local", Value: form.at, Error: form.errs.Of("publish_at"),
			Hint: "In your time zone, " + zone.String() + ".",
		},
	}
	public := p.PublicAt(now)
	if p.PublishAt != nil {
		at := p.PublishAt.In(zone)
		data.PublishAt = &at
	}
	if public {
		data.Public = links.Post(p.Slug)
	}
	if refusal := p.EditRefusal(v); refusal == nil {
		data.EditURL = links.DeskPost(p.ID)
	} else {
		data.Why = "What is published, or was decided, only staff change: so nothing goes public without a second pair of eyes. Write to them when something should be put right."
	}
	draft := p.Status == models.PostDraft || p.Status == models.PostChangesAsked
	data.CanSubmit = draft && !staff
	data.CanPublish = staff && p.Status != models.PostDeclined && !public
	data.CanSendBack = staff && p.Status == models.PostSubmitted
	data.CanWithdraw = staff && p.Status == models.PostPublished
	for _, r := range reviews {
		words := stepWords[r.Status]
		if r.Status == models.PostPublished && p.PublishAt != nil && r.CreatedAt.Before(*p.PublishAt) {
			words = "scheduled it"
		}
		data.Steps = append(data.Steps, newReviewStep(r, words, "", zone))
	}
	for _, r := range revisions {
		data.Earlier = append(data.Earlier, newReviewStep(r, "saved “"+r.Title+"”", links.DeskRevision(p.ID, r.ID), zone))
	}
	return data
}

func newReviewStep(step models.PostStep, words, url string, zone *time.Location) ReviewStep {
	person := step.Person
	if person == "" {
		person = "The portal"
	}
	return ReviewStep{Face: newFace(person, ""), Words: words, Said: step.Comment, When: step.CreatedAt.In(zone), URL: url}
}

// AdminPostRevision is a post's text as it was saved once, against the present one.
type AdminPostRevision struct {
	Layout
	PostTitle, PostURL string
	Title, Excerpt     string
	When               time.Time
	Lines              []DiffLine
	Version            int64
	Action             string
	CanRestore         bool
}
