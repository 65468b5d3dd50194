package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cdfoundation/portal/internal/slug"
)

// Content is a folder of Markdown files, read and checked. Its rows hold what the files state; what only a database
// knows (ids, times of saving, rendered text) is empty in them.
type Content struct {
	Cohorts     []ContentCohort
	Ambassadors []ContentAmbassador
	Groups      []ContentGroup
	Events      []ContentEvent
	Posts       []ContentPost
	Pages       []ContentPage
}

// ContentSource is the file that a thing was read from.
type ContentSource struct {
	Path     string // in the folder, with slashes: posts/x.md
	Slug     string // of a page its path: projects/jenkins
	Checksum string // SHA-256 in hexadecimal
	Markdown string // the body
}

// ContentReference names another thing by its slug; the zero one names nothing.
type ContentReference struct {
	Slug string
	Line int // of the file, for errors
}

// ContentCohort is a file of cohorts/.
type ContentCohort struct {
	ContentSource
	Cohort Cohort
}

// ContentAmbassador is a file of ambassadors/.
type ContentAmbassador struct {
	ContentSource
	Ambassador Ambassador
	Cohort     ContentReference
}

// ContentGroup is a file of groups/.
type ContentGroup struct {
	ContentSource
	Group      Group
	Organisers []ContentReference // ambassadors
}

// ContentEvent is a file of events/. Its dates are in Event, or are made by Next or Recurrence when it is first loaded.
type ContentEvent struct {
	ContentSource
	Event        Event
	Next         *ContentNext
	Recurrence   *ContentRecurrence
	ClosesBefore time.Duration // before the start, instead of Event.ClosesAt
	Group        ContentReference
	Ambassadors  []ContentReference
	Quotas       []Quota         // without slugs
	Tickets      []ContentTicket // without slugs
	Speakers     []Speaker
	Agenda       []AgendaSession
	Sponsors     []Sponsor
}

// ContentNext dates a sample event: on the first such day at least InDays after the day of its first loading.
type ContentNext struct {
	InDays   int
	Weekday  *time.Weekday // nil: any
	Time     string        // wall time HH:MM
	Duration time.Duration
}

// ContentRecurrence makes a series of events.
type ContentRecurrence struct {
	Rule     string // RFC 5545 RRULE
	Time     string // wall time HH:MM
	Duration time.Duration
	Count    int // so many from the first loading on
}

// ContentTicket is a ticket type and the names of the quotas that it draws on.
type ContentTicket struct {
	TicketType TicketType
	Quotas     []string
}

// ContentPost is a file of posts/.
type ContentPost struct {
	ContentSource
	Post       Post // ChangedAt is what the file states
	Series     string
	Categories []string // names
	Tags       []string // names
	Bylines    []ContentByline
	Introduces ContentReference // an ambassador
	Announces  ContentReference // an event
	Group      ContentReference
}

// ContentByline is an author as one post prints them.
type ContentByline struct {
	Byline     Byline
	Ambassador ContentReference
}

// ContentPage is a file of pages/.
type ContentPage struct {
	ContentSource
	Page Page
}

// ContentError names the line of a content file that cannot be loaded. It is ErrInvalid.
type ContentError struct {
	Path   string
	Line   int
	Reason string
}

// Error is path:line: reason.
func (e ContentError) Error() string { return e.Path + ":" + strconv.Itoa(e.Line) + ": " + e.Reason }

// Unwrap is ErrInvalid.
func (e ContentError) Unwrap() error { return ErrInvalid }

// JoinContentErrors is all of them, each once, in the order of files and lines; nil when there are none.
func JoinContentErrors(problems []ContentError) error {
	slices.SortStableFunc(problems, func(a, b ContentError) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	var errs []error
	for _, p := range slices.Compact(problems) {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// ContentReport tells what an import did.
type ContentReport struct {
	Kinds []ContentCount // in the order of loading
	Lines []string       // a line a change: created posts/x.md
}

// ContentCount counts the files of a kind.
type ContentCount struct {
	Kind                        string
	Created, Updated, Unchanged int
}

// Changed reports whether the import changed anything.
func (r ContentReport) Changed() bool { return len(r.Lines) > 0 }

// String is a line a change, and a line a kind with its counts.
func (r ContentReport) String() string {
	var b strings.Builder
	for _, line := range r.Lines {
		b.WriteString(line + "\n")
	}
	for _, k := range r.Kinds {
		fmt.Fprintf(&b, "%s: %d created, %d updated, %d unchanged\n", k.Kind, k.Created, k.Updated, k.Unchanged)
	}
	return b.String()
}

// ContentFile remembers in which state a file was loaded.
type ContentFile struct {
	Path       string `gorm:"primaryKey"`
	Checksum   string
	ImportedAt time.Time
}

// contentNamespace is the namespace of the UUIDs of what comes from files, so that the same file has the same
// identifier in every database.
var contentNamespace = uuid.MustParse("5b0c7a1e-3d52-4c0f-9a6d-2f7e8f1c4b90")

// contentUUID is the version 5 UUID (RFC 9562, section 5.5) of a thing of a kind.
func contentUUID(kind, slug string) string {
	return uuid.NewSHA1(contentNamespace, []byte(kind+"/"+slug)).String()
}

// ImportContent loads content in one transaction: all of it or nothing. A file that was loaded in the same state is
// passed over while its row exists, so a second run changes nothing and edits of the desk stay; a changed file writes
// what it states over its row. host stands in the identifiers of new events. Errors in files are ContentErrors.
func (s *Store) ImportContent(ctx context.Context, content Content, host string) (ContentReport, error) {
	var report ContentReport
	err := s.tx(ctx, func(tx *Store) error {
		i := &contentImport{Store: tx, content: content, host: host, now: tx.Now(), loaded: map[string]string{}}
		if err := i.prepare(ctx); err != nil {
			return err
		}
		for _, load := range []func(context.Context) error{
			i.cohorts, i.ambassadors, i.groups, i.events, i.posts, i.pages,
		} {
			if err := load(ctx); err != nil {
				return err
			}
		}
		report = i.report
		if !report.Changed() {
			return nil
		}
		return tx.reindex(ctx)
	})
	if err != nil {
		return ContentReport{}, err
	}
	return report, nil
}

// contentImport is one run of ImportContent, inside its transaction.
type contentImport struct {
	*Store
	content Content
	host    string
	now     time.Time
	loaded  map[string]string // path → checksum
	report  ContentReport
}

// prepare reads what was loaded before and checks every reference, before anything is written.
func (i *contentImport) prepare(ctx context.Context) error {
	if i.postgres() {
		// Two processes that start together on an empty database load it one after the other.
		if err := i.write(ctx).Exec("LOCK TABLE content_files IN EXCLUSIVE MODE").Error; err != nil {
			return err
		}
	}
	var files []ContentFile
	if err := i.read(ctx).Find(&files).Error; err != nil {
		return err
	}
	for _, f := range files {
		i.loaded[f.Path] = f.Checksum
	}
	known := map[string]map[string]bool{}
	for kind, table := range map[string]string{"cohort": "cohorts", "ambassador": "ambassadors", "group": "groups", "event": "events"} {
		known[kind] = map[string]bool{}
		var slugs, old []string
		if err := i.read(ctx).Table(table).Pluck("slug", &slugs).Error; err != nil {
			return err
		}
		if err := i.read(ctx).Model(&SlugHistory{}).Where("kind = ?", kind).Pluck("slug", &old).Error; err != nil {
			return err
		}
		for _, s := range append(slugs, old...) {
			known[kind][s] = true
		}
	}
	for _, c := range i.content.Cohorts {
		known["cohort"][c.Slug] = true
	}
	for _, a := range i.content.Ambassadors {
		known["ambassador"][a.Slug] = true
	}
	for _, g := range i.content.Groups {
		known["group"][g.Slug] = true
	}
	for _, e := range i.content.Events {
		if e.Recurrence == nil {
			known["event"][e.Slug] = true
		}
	}
	return JoinContentErrors(i.content.unknown(known))
}

// unknown lists the references to what is neither in the folder nor in the database.
func (c Content) unknown(known map[string]map[string]bool) []ContentError {
	var problems []ContentError
	check := func(path, kind string, refs ...ContentReference) {
		for _, r := range refs {
			if r.Slug != "" && !known[kind][r.Slug] {
				problems = append(problems, ContentError{path, r.Line, fmt.Sprintf("the %s %q is neither in the folder nor in the database", kind, r.Slug)})
			}
		}
	}
	for _, a := range c.Ambassadors {
		check(a.Path, "cohort", a.Cohort)
	}
	for _, g := range c.Groups {
		check(g.Path, "ambassador", g.Organisers...)
	}
	for _, e := range c.Events {
		check(e.Path, "group", e.Group)
		check(e.Path, "ambassador", e.Ambassadors...)
	}
	for _, p := range c.Posts {
		check(p.Path, "ambassador", p.Introduces)
		check(p.Path, "event", p.Announces)
		check(p.Path, "group", p.Group)
		for _, b := range p.Bylines {
			check(p.Path, "ambassador", b.Ambassador)
		}
	}
	return problems
}

// contentStep is what a file asks for.
type contentStep string

const (
	contentUnchanged contentStep = "unchanged"
	contentCreated   contentStep = "created"
	contentUpdated   contentStep = "updated"
)

// idOf finds a row by its slug, or by a slug that it once had. It is 0 when there is none.
func (s *Store) idOf(ctx context.Context, table, kind, slug string) (int64, error) {
	column := "slug"
	if table == "pages" {
		column = "path"
	}
	var ids []int64
	err := s.read(ctx).Table(table).Where(column+" = ?", slug).Pluck("id", &ids).Error
	if err == nil && len(ids) == 0 && kind != "" {
		err = s.read(ctx).Raw("SELECT t.id FROM slug_history h JOIN "+table+" t ON t.id = h.object_id WHERE h.kind = ? AND h.slug = ?", kind, slug).Scan(&ids).Error
	}
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// reference is the id of what a file names, or nil when it names nothing.
func (i *contentImport) reference(ctx context.Context, table, kind string, ref ContentReference) (*int64, error) {
	if ref.Slug == "" {
		return nil, nil
	}
	id, err := i.idOf(ctx, table, kind, ref.Slug)
	if err == nil && id == 0 {
		err = fmt.Errorf("%w: %s %q", ErrNotFound, kind, ref.Slug)
	}
	return &id, err
}

// begin tells what a file asks for and the id of its row; the kind is that of the history of slugs, or empty.
func (i *contentImport) begin(ctx context.Context, table, kind string, file ContentSource) (contentStep, int64, error) {
	id, err := i.idOf(ctx, table, kind, file.Slug)
	switch {
	case err != nil:
		return "", 0, err
	case id == 0:
		return contentCreated, 0, nil
	case i.loaded[file.Path] == file.Checksum:
		return contentUnchanged, id, nil
	}
	return contentUpdated, id, nil
}

// end counts what was done with a file, and remembers its state when something was.
func (i *contentImport) end(ctx context.Context, table string, step contentStep, id int64, file ContentSource) error {
	kind, _, _ := strings.Cut(file.Path, "/")
	if n := len(i.report.Kinds); n == 0 || i.report.Kinds[n-1].Kind != kind {
		i.report.Kinds = append(i.report.Kinds, ContentCount{Kind: kind})
	}
	count := &i.report.Kinds[len(i.report.Kinds)-1]
	switch step {
	case contentUnchanged:
		count.Unchanged++
		return nil
	case contentCreated:
		count.Created++
	case contentUpdated:
		count.Updated++
		if err := i.audit(ctx, Viewer{Role: "command"}, "content.import", table, id, i.loaded[file.Path], file.Checksum); err != nil {
			return err
		}
	}
	i.report.Lines = append(i.report.Lines, string(step)+" "+file.Path)
	return i.write(ctx).Clauses(clause.OnConflict{UpdateAll: true}).
		Create(&ContentFile{Path: file.Path, Checksum: file.Checksum, ImportedAt: i.now}).Error
}

// put creates a row, or writes the named fields of a row that exists. Fields that the statement does not name, such
// as a status that somebody changed in the desk, stay.
func put(db *gorm.DB, step contentStep, row any, fields ...[]string) error {
	if step == contentCreated {
		return db.Create(row).Error
	}
	// UpdateColumns, because Updates sets updated_at by the machine's clock.
	return db.Model(row).Select(slices.Concat(fields...)).UpdateColumns(row).Error
}

// locked reads a row that is about to be written.
func (i *contentImport) locked(ctx context.Context, row any, id int64) error {
	db := i.write(ctx)
	if i.postgres() {
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	return db.Take(row, id).Error
}

var cohortStated = []string{"Title", "WelcomedOn", "Size", "UpdatedAt"}

func (i *contentImport) cohorts(ctx context.Context) error {
	for _, c := range i.content.Cohorts {
		step, id, err := i.begin(ctx, "cohorts", "", c.ContentSource)
		if err != nil {
			return err
		}
		row := c.Cohort
		if step != contentUnchanged {
			rendered, err := i.render(ctx, c.Markdown, "")
			if err != nil {
				return c.wrap(err)
			}
			row.ID, row.Slug, row.UpdatedAt = id, c.Slug, i.now
			row.setText(c.Markdown, rendered)
			if err := put(i.write(ctx), step, &row, cohortStated, cohortText); err != nil {
				return c.wrap(err)
			}
		}
		if err := i.end(ctx, "cohorts", step, row.ID, c.ContentSource); err != nil {
			return err
		}
	}
	return nil
}

// wrap names the file in an error that has no line.
func (f ContentSource) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", f.Path, err)
}

var ambassadorStated = []string{
	"CohortID", "Name", "Title", "Employer", "City", "Country", "Latitude", "Longitude", "Pronouns", "Languages", "Topics",
	"Links", "Handle", "Quote", "Sample", "Version", "UpdatedAt",
}

func (i *contentImport) ambassadors(ctx context.Context) error {
	for _, a := range i.content.Ambassadors {
		step, id, err := i.begin(ctx, "ambassadors", "ambassador", a.ContentSource)
		if err != nil {
			return err
		}
		if step != contentUnchanged {
			if id, err = i.ambassador(ctx, step, id, a); err != nil {
				return a.wrap(err)
			}
		}
		if err := i.end(ctx, "ambassadors", step, id, a.ContentSource); err != nil {
			return err
		}
	}
	return nil
}

func (i *contentImport) ambassador(ctx context.Context, step contentStep, id int64, a ContentAmbassador) (int64, error) {
	row := a.Ambassador
	row.ID, row.Slug, row.Status, row.Version, row.CreatedAt, row.UpdatedAt = id, a.Slug, AmbassadorPublished, 1, i.now, i.now
	if step == contentUpdated {
		var old Ambassador
		if err := i.locked(ctx, &old, id); err != nil {
			return 0, err
		}
		row.Version = old.Version + 1
	}
	rendered, err := i.render(ctx, a.Markdown, "")
	if err != nil {
		return 0, err
	}
	row.setText(a.Markdown, rendered)
	if row.CohortID, err = i.reference(ctx, "cohorts", "", a.Cohort); err != nil {
		return 0, err
	}
	row.Languages, row.Topics, row.Links = full(row.Languages), full(row.Topics), full(row.Links)
	err = put(i.write(ctx), step, &row, ambassadorStated, plainText)
	return row.ID, err
}

// full is the list as it is stored: [] when it is empty, never null.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

var groupStated = []string{
	"Name", "City", "Country", "Latitude", "Longitude", "Timezone", "Language", "Topics", "Links", "Sample", "Version", "UpdatedAt",
}

func (i *contentImport) groups(ctx context.Context) error {
	for _, g := range i.content.Groups {
		step, id, err := i.begin(ctx, "groups", "group", g.ContentSource)
		if err != nil {
			return err
		}
		if step != contentUnchanged {
			if id, err = i.group(ctx, step, id, g); err != nil {
				return g.wrap(err)
			}
		}
		if err := i.end(ctx, "groups", step, id, g.ContentSource); err != nil {
			return err
		}
	}
	return nil
}

func (i *contentImport) group(ctx context.Context, step contentStep, id int64, g ContentGroup) (int64, error) {
	row := g.Group
	row.ID, row.Slug, row.Status, row.Version, row.CreatedAt, row.UpdatedAt = id, g.Slug, GroupListed, 1, i.now, i.now
	if step == contentUpdated {
		var old Group
		if err := i.locked(ctx, &old, id); err != nil {
			return 0, err
		}
		row.Version = old.Version + 1
	}
	rendered, err := i.render(ctx, g.Markdown, "")
	if err != nil {
		return 0, err
	}
	row.setText(g.Markdown, rendered)
	row.Topics, row.Links = full(row.Topics), full(row.Links)
	if err := put(i.write(ctx), step, &row, groupStated, plainText); err != nil {
		return 0, err
	}
	return row.ID, i.organisers(ctx, row.ID, g.Organisers)
}

// organisers makes the ambassadors who run a group those whom the file names. A file that names nobody leaves it to
// the desk, and accounts are the desk's in any case.
func (i *contentImport) organisers(ctx context.Context, groupID int64, named []ContentReference) error {
	var keep []int64
	for _, ref := range named {
		id, err := i.reference(ctx, "ambassadors", "ambassador", ref)
		if err != nil {
			return err
		}
		keep = append(keep, *id)
		row := GroupOrganiser{GroupID: groupID, AmbassadorID: id, CreatedAt: i.now}
		if err := i.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return err
		}
	}
	if len(keep) == 0 {
		return nil
	}
	return i.write(ctx).Where("group_id = ? AND ambassador_id NOT IN ?", groupID, keep).Delete(&GroupOrganiser{}).Error
}

var pageStated = []string{"Title", "Description", "Position", "ProjectStatus", "ProjectWebsite", "UpdatedAt"}

func (i *contentImport) pages(ctx context.Context) error {
	for _, p := range i.content.Pages {
		step, id, err := i.begin(ctx, "pages", "", p.ContentSource)
		if err != nil {
			return err
		}
		row := p.Page
		if step != contentUnchanged {
			rendered, err := i.render(ctx, p.Markdown, "")
			if err != nil {
				return p.wrap(err)
			}
			row.ID, row.Path, row.UpdatedAt = id, p.Slug, i.now
			row.setText(p.Markdown, rendered)
			if err := put(i.write(ctx), step, &row, pageStated, pageText); err != nil {
				return p.wrap(err)
			}
		}
		if err := i.end(ctx, "pages", step, row.ID, p.ContentSource); err != nil {
			return err
		}
	}
	return nil
}

var postStated = []string{
	"PublishAt", "Title", "Language", "Licence", "SourceName", "SourceAuthor", "SourceURL", "SeriesID", "GroupID", "IntroducesID",
	"AnnouncesID", "Sample", "Version", "ChangedAt", "UpdatedAt",
}

func (i *contentImport) posts(ctx context.Context) error {
	changed := map[string]bool{} // by path
	for _, p := range i.content.Posts {
		step, id, err := i.begin(ctx, "posts", "post", p.ContentSource)
		if err != nil {
			return err
		}
		if step != contentUnchanged {
			changed[p.Path] = true
			if id, err = i.post(ctx, step, id, p); err != nil {
				return p.wrap(err)
			}
		}
		if err := i.end(ctx, "posts", step, id, p.ContentSource); err != nil {
			return err
		}
	}
	return i.bylines(ctx, changed)
}

func (i *contentImport) post(ctx context.Context, step contentStep, id int64, p ContentPost) (int64, error) {
	row := p.Post
	row.ID, row.UUID, row.Slug, row.Status = id, contentUUID("posts", p.Slug), p.Slug, PostPublished
	row.Version, row.CreatedAt, row.UpdatedAt = 1, i.now, i.now
	var old Post
	if step == contentUpdated {
		if err := i.locked(ctx, &old, id); err != nil {
			return 0, err
		}
		row.UUID, row.Version = old.UUID, old.Version+1
	}
	rewritten := old.Markdown != p.Markdown || old.Title != row.Title || old.Excerpt != row.Excerpt
	if step == contentUpdated && row.ChangedAt == nil {
		row.ChangedAt = old.ChangedAt
		if rewritten && old.PublicAt(i.now) {
			row.ChangedAt = &i.now
		}
	}
	rendered, err := i.render(ctx, p.Markdown, row.idPrefix())
	if err != nil {
		return 0, err
	}
	row.setText(p.Markdown, row.Excerpt, rendered)
	if row.SeriesID, err = i.series(ctx, p.Series); err != nil {
		return 0, err
	}
	if row.IntroducesID, err = i.reference(ctx, "ambassadors", "ambassador", p.Introduces); err != nil {
		return 0, err
	}
	if row.AnnouncesID, err = i.reference(ctx, "events", "event", p.Announces); err != nil {
		return 0, err
	}
	if row.GroupID, err = i.reference(ctx, "groups", "group", p.Group); err != nil {
		return 0, err
	}
	if err := put(i.write(ctx), step, &row, postStated, postText); err != nil {
		return 0, err
	}
	if rewritten {
		revision := Revision{PostID: row.ID, Title: row.Title, Excerpt: row.Excerpt, Markdown: row.Markdown, CreatedAt: i.now}
		if err := i.write(ctx).Create(&revision).Error; err != nil {
			return 0, err
		}
	}
	return row.ID, i.terms(ctx, row.ID, p)
}

// series is the id of the series of that title, which is made when there is none.
func (i *contentImport) series(ctx context.Context, title string) (*int64, error) {
	if title == "" {
		return nil, nil
	}
	row := PostSeries{Slug: slug.Make(title), Title: title}
	err := i.write(ctx).Where(PostSeries{Slug: row.Slug}).FirstOrCreate(&row).Error
	return &row.ID, err
}

// terms writes the lists that a post is found by, in the file's order.
func (i *contentImport) terms(ctx context.Context, postID int64, p ContentPost) error {
	for _, row := range []any{&PostCategory{}, &PostTag{}, &PostByline{}} {
		if err := i.write(ctx).Where("post_id = ?", postID).Delete(row).Error; err != nil {
			return err
		}
	}
	for n, name := range p.Categories {
		row := Category{Slug: slug.Make(name), Name: name}
		if err := i.write(ctx).Where(Category{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		if err := i.write(ctx).Create(&PostCategory{PostID: postID, CategoryID: row.ID, Position: n + 1}).Error; err != nil {
			return err
		}
	}
	for n, name := range p.Tags {
		row := Tag{Slug: slug.Make(name), Name: name}
		if err := i.write(ctx).Where(Tag{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		if err := i.write(ctx).Create(&PostTag{PostID: postID, TagID: row.ID, Position: n + 1}).Error; err != nil {
			return err
		}
	}
	for n, b := range p.Bylines {
		row := Byline{Slug: slug.Make(b.Byline.Name), Name: b.Byline.Name}
		if err := i.write(ctx).Where(Byline{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		if err := i.write(ctx).Create(&PostByline{PostID: postID, BylineID: row.ID, Position: n + 1}).Error; err != nil {
			return err
		}
	}
	return nil
}

// bylines writes the details of those authors whose newest post's file is new or changed. A detail that the newest
// post leaves out is taken from the newest one that states it.
func (i *contentImport) bylines(ctx context.Context, changed map[string]bool) error {
	posts := slices.Clone(i.content.Posts)
	slices.SortStableFunc(posts, func(a, b ContentPost) int { return a.Post.PublishAt.Compare(*b.Post.PublishAt) })
	type author struct {
		ContentByline
		newest ContentSource
	}
	authors := map[string]author{}
	for _, p := range posts {
		for _, b := range p.Bylines {
			key := slug.Make(b.Byline.Name)
			a := authors[key]
			for _, detail := range []struct {
				to   *string
				from string
			}{
				{&a.Byline.Name, b.Byline.Name},
				{&a.Byline.Title, b.Byline.Title},
				{&a.Byline.Employer, b.Byline.Employer},
				{&a.Byline.Handle, b.Byline.Handle},
				{&a.Byline.URL, b.Byline.URL},
				{&a.Byline.Bio, b.Byline.Bio},
			} {
				if detail.from != "" {
					*detail.to = detail.from
				}
			}
			if b.Ambassador.Slug != "" {
				a.Ambassador = b.Ambassador
			}
			a.newest = p.ContentSource
			authors[key] = a
		}
	}
	for key, a := range authors {
		if !changed[a.newest.Path] {
			continue
		}
		row := a.Byline
		var err error
		if row.AmbassadorID, err = i.reference(ctx, "ambassadors", "ambassador", a.Ambassador); err != nil {
			return a.newest.wrap(err)
		}
		// Details that no file states stay as they are.
		if err := i.write(ctx).Model(&Byline{}).Where("slug = ?", key).Updates(&row).Error; err != nil {
			return a.newest.wrap(err)
		}
	}
	return nil
}
