package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// deskPageSize is how many lines a list of the desk has on a page.
const deskPageSize = 50

// postViews are the states by which the desk lists posts, by the word in the address.
var postViews = []struct {
	word, label string
	filter      models.DeskPostFilter
}{
	{"", "All", models.DeskPostFilter{}},
	{"drafts", "Drafts", models.DeskPostFilter{Status: models.PostDraft}},
	{"submitted", "Waiting for review", models.DeskPostFilter{Status: models.PostSubmitted}},
	{"changes", "Changes asked", models.DeskPostFilter{Status: models.PostChangesAsked}},
	{"scheduled", "Scheduled", models.DeskPostFilter{Status: models.PostPublished, Scheduled: true}},
	{"published", "Published", models.DeskPostFilter{Status: models.PostPublished}},
	{"declined", "Declined", models.DeskPostFilter{Status: models.PostDeclined}},
	{"withdrawn", "Withdrawn", models.DeskPostFilter{Status: models.PostWithdrawn}},
}

func (a *App) listDeskPosts(c *fiber.Ctx) error {
	v := viewer(c)
	word, query := c.Query("status"), strings.TrimSpace(c.Query("q"))
	view := slices.IndexFunc(postViews, func(view struct {
		word, label string
		filter      models.DeskPostFilter
	},
	) bool {
		return view.word == word
	})
	page, err := pageNumber(c)
	if err != nil || view < 0 {
		return cmp.Or(err, models.ErrNotFound)
	}
	filter := postViews[view].filter
	filter.Query, filter.Limit, filter.Offset = query, deskPageSize, (page-1)*deskPageSize
	rows, total, err := a.Store.DeskPosts(c.UserContext(), v, filter)
	if err != nil {
		return err
	}
	counts, err := a.Store.CountDeskPosts(c.UserContext(), v)
	if err != nil {
		return err
	}
	data := AdminPostList{Layout: a.deskLayout(c, "Posts", "Posts"), Query: query, Status: word, Empty: counts.All == 0}
	for i, choice := range postViews {
		count := counts.ByStatus[choice.filter.Status]
		switch {
		case choice.word == "":
			count = counts.All
		case choice.filter.Scheduled:
			count = counts.Scheduled
		}
		if count > 0 || i == view || choice.word == "" || choice.word == "drafts" {
			data.Views = append(data.Views, ListView{URL: listURL(links.DeskPosts, "status", choice.word, "q", query), Label: choice.label, Count: count, Current: i == view})
		}
	}
	if data.Pager, err = newPager(listURL(links.DeskPosts, "status", word, "q", query), page, total, deskPageSize); err != nil {
		return err
	}
	for _, row := range rows {
		data.Posts = append(data.Posts, newAdminPostLine(row, location(v.Timezone), a.Store.Now()))
	}
	return show(c, http.StatusOK, a.pages.adminPostList, data)
}

// listURL is a list's address with those of the pairs of key and value that have one.
func listURL(path string, pairs ...string) string {
	q := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if value := pair[len(pair)-1]; value != "" {
			q.Set(pair[0], value)
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}

func (a *App) newPost(c *fiber.Ctx) error {
	return a.postEditor(c, http.StatusOK, models.Post{Language: "en", Licence: "CC-BY-4.0"}, models.PostEdit{Language: "en", Licence: "CC-BY-4.0"}, editorState{})
}

func (a *App) createPost(c *fiber.Ctx) error {
	return a.savePostForm(c, models.Post{Language: "en", Licence: "CC-BY-4.0"})
}

func (a *App) editPost(c *fiber.Ctx) error {
	p, err := a.deskPost(c)
	if err != nil {
		return err
	}
	if errors.Is(p.EditRefusal(viewer(c)), models.ErrTransition) {
		return seeOther(c, links.DeskReview(p.ID))
	}
	filing, err := a.Store.PostFiling(c.UserContext(), p)
	if err != nil {
		return err
	}
	return a.postEditor(c, http.StatusOK, p, editOf(p, filing), editorState{})
}

func (a *App) savePost(c *fiber.Ctx) error {
	p, err := a.deskPost(c)
	if err != nil {
		return err
	}
	return a.savePostForm(c, p)
}

// deskPost is the post that the address names.
func (a *App) deskPost(c *fiber.Ctx) (models.Post, error) {
	id, err := paramID(c, "id")
	if err != nil {
		return models.Post{}, err
	}
	return a.Store.DeskPost(c.UserContext(), viewer(c), id)
}

// savePostForm saves what the editor sent, then goes on to what its button asked for. Whatever is in the way, the form
// comes back with everything that was typed.
func (a *App) savePostForm(c *fiber.Ctx, p models.Post) error {
	v := viewer(c)
	edit := typedPost(c)
	errs, err := a.takeCover(c, &edit)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return a.postEditor(c, http.StatusUnprocessableEntity, p, edit, editorState{errs: errs})
	}
	intent := typed(c, "intent")
	if intent == "preview" {
		return a.postEditor(c, http.StatusOK, p, edit, editorState{})
	}
	var saved models.Post
	if p.ID == 0 {
		saved, err = a.Store.CreatePost(c.UserContext(), v, edit)
	} else {
		saved, err = a.Store.SavePost(c.UserContext(), v, p.ID, edit)
	}
	switch {
	case errs.Take(err):
		return a.postEditor(c, http.StatusUnprocessableEntity, p, edit, editorState{errs: errs})
	case errors.Is(err, models.ErrSlugTaken):
		errs.Add("slug", "Choose another address: this one leads to another post")
		return a.postEditor(c, http.StatusUnprocessableEntity, p, edit, editorState{errs: errs})
	case errors.Is(err, models.ErrStale):
		return a.postEditor(c, http.StatusConflict, p, edit, editorState{stale: true})
	case err != nil:
		return err
	}
	switch intent {
	case "submit":
		err := a.Store.Submit(c.UserContext(), v, saved.ID, "")
		if errors.Is(err, models.ErrInvalid) {
			errs.Add("body", "Write the text before you send it to review")
			edit.Version, edit.Slug = saved.Version, saved.Slug
			return a.postEditor(c, http.StatusUnprocessableEntity, saved, edit, editorState{errs: errs})
		}
		if err != nil {
			return err
		}
		a.flash(c, "submitted")
		return seeOther(c, links.DeskReview(saved.ID))
	case "review":
		return seeOther(c, links.DeskReview(saved.ID))
	}
	a.flash(c, "saved")
	return seeOther(c, links.DeskPost(saved.ID))
}

// typedPost is what the editor's form holds.
func typedPost(c *fiber.Ctx) models.PostEdit {
	edit := models.PostEdit{
		Version: typedID(c, "version"), Title: typed(c, "title"), Slug: typed(c, "slug"), Excerpt: typed(c, "excerpt"),
		Markdown: strings.ReplaceAll(c.FormValue("body"), "\r\n", "\n"), Language: typed(c, "language"), Licence: typed(c, "licence"),
		SourceName: typed(c, "source_name"), SourceAuthor: typed(c, "source_author"), SourceURL: typed(c, "source_url"),
		SeriesID: typedID(c, "series"), NewSeries: typed(c, "new_series"), GroupID: typedID(c, "group"),
		IntroducesID: typedID(c, "introduces"), AnnouncesID: typedID(c, "announces"), CoverID: typedID(c, "cover_id"),
	}
	for _, value := range typedAll(c, "categories") {
		if id, err := strconv.ParseInt(value, 10, 64); err == nil {
			edit.CategoryIDs = append(edit.CategoryIDs, id)
		}
	}
	for tag := range strings.SplitSeq(typed(c, "tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			edit.Tags = append(edit.Tags, tag)
		}
	}
	titles, employers := typedAll(c, "byline_title"), typedAll(c, "byline_employer")
	for i, name := range typedAll(c, "byline_name") {
		b := models.BylineEdit{Name: strings.TrimSpace(name)}
		if i < len(titles) && i < len(employers) {
			b.Title, b.Employer = strings.TrimSpace(titles[i]), strings.TrimSpace(employers[i])
		}
		if b != (models.BylineEdit{}) {
			edit.Bylines = append(edit.Bylines, b)
		}
	}
	return edit
}

// takeCover keeps an uploaded cover, or takes the present one away, and notes it in the edit.
func (a *App) takeCover(c *fiber.Ctx, edit *models.PostEdit) (errs FieldErrors, err error) {
	if typed(c, "cover_remove") != "" {
		edit.CoverID = 0
	}
	medium, errs, err := a.uploaded(c, "cover")
	if medium != nil {
		edit.CoverID = medium.ID
	}
	return errs, err
}

// previewPost answers with a fragment: the text as it would look, and what its author should know of it.
func (a *App) previewPost(c *fiber.Ctx) error {
	private(c)
	preview, err := a.postPreview(c, typed(c, "title"), typed(c, "excerpt"), strings.ReplaceAll(c.FormValue("body"), "\r\n", "\n"), typed(c, "language"))
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, a.pages.adminPostPreview, preview)
}

// postPreview renders a text as saving it would. A text that cannot be rendered has its reason as a finding.
func (a *App) postPreview(c *fiber.Ctx, title, excerpt, source, language string) (PostPreview, error) {
	preview := PostPreview{Title: title, Excerpt: excerpt, Language: foreign(language)}
	rendered, err := a.Store.Preview(c.UserContext(), source)
	if errors.Is(err, models.ErrInvalid) {
		text := err.Error()
		preview.Findings = []Finding{{Message: text[strings.LastIndexByte(text, '\n')+1:]}}
		return preview, nil
	}
	if err != nil {
		return preview, err
	}
	preview.HTML, preview.Words, preview.Minutes = blessed(rendered.HTML), rendered.Words, minutesToRead(rendered.Words)
	for _, w := range rendered.Warnings {
		preview.Findings = append(preview.Findings, Finding{w.Line, w.Message})
	}
	return preview, nil
}

// editorState is why an editor is shown again.
type editorState struct {
	errs  FieldErrors
	stale bool
}

// postEditor shows a post's editor with what was typed.
func (a *App) postEditor(c *fiber.Ctx, status int, p models.Post, edit models.PostEdit, state editorState) error {
	v := viewer(c)
	if state.stale {
		var err error
		if p, err = a.Store.DeskPost(c.UserContext(), v, p.ID); err != nil {
			return err
		}
		edit.Version = p.Version
	}
	choices, err := a.Store.PostChoices(c.UserContext(), v, p)
	if err != nil {
		return err
	}
	preview, err := a.postPreview(c, edit.Title, edit.Excerpt, edit.Markdown, edit.Language)
	if err != nil {
		return err
	}
	heading := "New post"
	if p.ID != 0 {
		heading = p.Title
	}
	data := newAdminPostEdit(p, edit, choices, state.errs, v.Can(models.ReviewPosts, models.Object{}), a.Store.Now())
	data.Upload = newUploadFields(c, "cover", state.errs)
	data.Layout = a.deskLayout(c, "Posts", heading)
	data.Desk.Slim = true
	data.Scripts = append(data.Scripts, "js/form.js", "js/editor.js", "js/toolbar.js", "js/upload.js")
	data.Preview = preview
	if edit.CoverID != 0 {
		if cover, err := a.Store.Medium(c.UserContext(), edit.CoverID); err == nil {
			data.Cover = newPicture(cover)
		}
	}
	if p.Status == models.PostChangesAsked || state.stale {
		reviews, revisions, err := a.Store.PostHistory(c.UserContext(), p.ID)
		if err != nil {
			return err
		}
		if p.Status == models.PostChangesAsked && len(reviews) > 0 {
			asked := newReviewStep(reviews[0], stepWords[reviews[0].Status], "", location(v.Timezone))
			data.Asked = &asked
		}
		if !state.stale {
			return show(c, status, a.pages.adminPostEdit, data)
		}
		theirs := &StaleText{Title: p.Title, Excerpt: p.Excerpt, When: p.UpdatedAt.In(location(v.Timezone)), Lines: diffLines(edit.Markdown, p.Markdown)}
		if len(revisions) > 0 {
			theirs.Person = revisions[0].Person
		}
		data.Stale = theirs
	}
	return show(c, status, a.pages.adminPostEdit, data)
}

func (a *App) showReview(c *fiber.Ctx) error {
	p, err := a.deskPost(c)
	if err != nil {
		return err
	}
	return a.reviewPage(c, http.StatusOK, p, reviewForm{})
}

// reviewForm is what was typed into the forms of a review.
type reviewForm struct {
	comment, at string
	errs        FieldErrors
}

func (a *App) reviewPage(c *fiber.Ctx, status int, p models.Post, form reviewForm) error {
	v := viewer(c)
	reviews, revisions, err := a.Store.PostHistory(c.UserContext(), p.ID)
	if err != nil {
		return err
	}
	filing, err := a.Store.PostFiling(c.UserContext(), p)
	if err != nil {
		return err
	}
	data := newAdminPostReview(p, filing, reviews, revisions, form, v, a.Store.Now())
	data.Layout = a.deskLayout(c, "Posts", "Review: "+p.Title)
	data.Scripts = append(data.Scripts, "js/form.js")
	return show(c, status, a.pages.adminPostReview, data)
}

func (a *App) submitPost(c *fiber.Ctx) error {
	return a.decide(c, "submitted", func(p models.Post, comment string) error {
		return a.Store.Submit(c.UserContext(), viewer(c), p.ID, comment)
	})
}

func (a *App) sendPostBack(c *fiber.Ctx) error {
	return a.decide(c, "sent-back", func(p models.Post, comment string) error {
		return a.Store.SendBack(c.UserContext(), viewer(c), p.ID, comment)
	})
}

func (a *App) declinePost(c *fiber.Ctx) error {
	return a.decide(c, "declined", func(p models.Post, comment string) error {
		return a.Store.Decline(c.UserContext(), viewer(c), p.ID, comment)
	})
}

func (a *App) withdrawPost(c *fiber.Ctx) error {
	return a.decide(c, "withdrawn", func(p models.Post, comment string) error {
		return a.Store.Withdraw(c.UserContext(), viewer(c), p.ID, comment)
	})
}

// decide makes one step of a review with the words typed beside its button.
func (a *App) decide(c *fiber.Ctx, done string, step func(p models.Post, comment string) error) error {
	p, err := a.deskPost(c)
	if err != nil {
		return err
	}
	comment := typed(c, "comment")
	err = step(p, comment)
	if errors.Is(err, models.ErrInvalid) {
		form := reviewForm{comment: comment}
		form.errs.Add("comment", "Say in a few words what the author should know")
		return a.reviewPage(c, http.StatusUnprocessableEntity, p, form)
	}
	if err != nil {
		return err
	}
	a.flash(c, done)
	return seeOther(c, links.DeskReview(p.ID))
}

func (a *App) publishPost(c *fiber.Ctx) error {
	v := viewer(c)
	p, err := a.deskPost(c)
	if err != nil {
		return err
	}
	form := reviewForm{comment: typed(c, "comment"), at: typed(c, "publish_at")}
	var at time.Time
	if typed(c, "when") == "later" {
		if at, err = models.LocalTime(form.at, cmp.Or(v.Timezone, "UTC")); err != nil || !at.After(a.Store.Now()) {
			form.errs.Add("publish_at", "Choose a day and time to come, such as 2030-05-12T09:00")
			return a.reviewPage(c, http.StatusUnprocessableEntity, p, form)
		}
	}
	err = a.Store.Publish(c.UserContext(), v, p.ID, typedID(c, "version"), at, form.comment)
	switch {
	case errors.Is(err, models.ErrStale):
		form.errs.Add("publish", "The text changed while you read it. Read it again, then publish")
		return a.reviewPage(c, http.StatusConflict, p, form)
	case errors.Is(err, models.ErrInvalid):
		form.errs.Add("publish", "A post without text cannot be published")
		return a.reviewPage(c, http.StatusUnprocessableEntity, p, form)
	case err != nil:
		return err
	}
	if at.IsZero() {
		a.flash(c, "published")
	} else {
		a.flash(c, "scheduled")
	}
	return seeOther(c, links.DeskReview(p.ID))
}

func (a *App) showRevision(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	revisionID, err := paramID(c, "revision")
	if err != nil {
		return err
	}
	v := viewer(c)
	p, revision, err := a.Store.PostRevision(c.UserContext(), v, id, revisionID)
	if err != nil {
		return err
	}
	data := AdminPostRevision{
		Layout: a.deskLayout(c, "Posts", "Earlier text: "+revision.Title), PostTitle: p.Title, PostURL: links.DeskReview(id),
		Title: revision.Title, Excerpt: revision.Excerpt, When: revision.CreatedAt.In(location(v.Timezone)),
		Lines: diffLines(p.Markdown, revision.Markdown), Version: p.Version, Action: links.DeskRevision(id, revisionID) + "/restoration",
		CanRestore: p.EditRefusal(v) == nil && (p.Markdown != revision.Markdown || p.Title != revision.Title || p.Excerpt != revision.Excerpt),
	}
	return show(c, http.StatusOK, a.pages.adminPostRevision, data)
}

func (a *App) restoreRevision(c *fiber.Ctx) error {
	id, err := paramID(c, "id")
	if err != nil {
		return err
	}
	revisionID, err := paramID(c, "revision")
	if err != nil {
		return err
	}
	if err := a.Store.RestoreRevision(c.UserContext(), viewer(c), id, revisionID, typedID(c, "version")); err != nil {
		return err
	}
	a.flash(c, "restored")
	return seeOther(c, links.DeskPost(id))
}
