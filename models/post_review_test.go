package models_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// newsroom is a database with two authors, a staff member and an admin.
type newsroom struct {
	*models.Store
	clock              *clock.Fake
	ben, bob, sam, ada models.Viewer
}

func onEachNewsroom(t *testing.T, test func(t *testing.T, n *newsroom)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		n := &newsroom{Store: store, clock: now}
		for _, p := range []struct {
			name string
			role models.Role
			who  *models.Viewer
		}{{"Ben", models.RoleAmbassador, &n.ben}, {"Bob", models.RoleAmbassador, &n.bob}, {"Sam", models.RoleStaff, &n.sam}, {"Ada", models.RoleAdmin, &n.ada}} {
			_, token, err := store.AddUser(t.Context(), models.Viewer{Role: "command"}, models.NewUser{Name: p.name + " Example", Email: p.name + "@example.org", Role: p.role})
			if err != nil {
				t.Fatal(err)
			}
			session, _, err := store.SignIn(t.Context(), models.Viewer{}, token, "")
			if err != nil {
				t.Fatal(err)
			}
			if *p.who, err = store.ViewerBySession(t.Context(), session); err != nil {
				t.Fatal(err)
			}
		}
		test(t, n)
	})
}

func draft(title string) models.PostEdit {
	return models.PostEdit{Title: title, Excerpt: "Short.", Markdown: "Some text.", Language: "en", Licence: "CC-BY-4.0", Tags: []string{"Go", "go", "tests"}}
}

func (n *newsroom) write(t *testing.T, title string) models.Post {
	t.Helper()
	p, err := n.CreatePost(t.Context(), n.ben, draft(title))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (n *newsroom) number(t *testing.T, query string, args ...any) (count int) {
	t.Helper()
	if err := testkit.DB(t, n.Store).Raw(query, args...).Scan(&count).Error; err != nil {
		t.Fatal(err)
	}
	return count
}

func (n *newsroom) post(t *testing.T, id int64) models.Post {
	t.Helper()
	p, err := n.DeskPost(t.Context(), n.sam, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPostGoesItsWay(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		p := n.write(t, "Three ways")
		if p.Slug != "three-ways" || p.HTML != "<p>Some text.</p>\n" || p.Words != 2 {
			t.Errorf("draft %q %q %d", p.Slug, p.HTML, p.Words)
		}
		if tags := n.number(t, "SELECT count(*) FROM post_tags WHERE post_id = ?", p.ID); tags != 2 {
			t.Errorf("%d tags, want 2 of the three typed", tags)
		}
		if err := n.Submit(ctx, n.ben, p.ID, ""); err != nil {
			t.Fatal(err)
		}
		if mails := n.number(t, "SELECT count(*) FROM mails WHERE kind = 'post_submitted'"); mails != 2 {
			t.Errorf("%d mails to staff, want 2", mails)
		}
		if err := n.SendBack(ctx, n.sam, p.ID, "  "); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("sent back without words: %v", err)
		}
		if err := n.SendBack(ctx, n.sam, p.ID, "Say more."); err != nil {
			t.Fatal(err)
		}
		if err := n.Submit(ctx, n.ben, p.ID, ""); err != nil {
			t.Fatal(err)
		}
		read := n.post(t, p.ID)
		if err := n.Publish(ctx, n.sam, p.ID, read.Version, time.Time{}, ""); err != nil {
			t.Fatal(err)
		}
		if mails := n.number(t, "SELECT count(*) FROM mails WHERE kind = 'post_reviewed' AND recipient = 'Ben@example.org'"); mails != 2 {
			t.Errorf("%d mails to the author, want 2", mails)
		}
		published := n.post(t, p.ID)
		if !published.PublicAt(n.Now()) {
			t.Error("the post is not public")
		}
		n.clock.Advance(time.Hour)
		if err := n.Withdraw(ctx, n.sam, p.ID, ""); err != nil {
			t.Fatal(err)
		}
		if err := n.Publish(ctx, n.sam, p.ID, 0, time.Time{}, ""); err != nil {
			t.Fatal(err)
		}
		if again := n.post(t, p.ID); !again.PublishAt.Equal(*published.PublishAt) {
			t.Errorf("the date moved from %v to %v", published.PublishAt, again.PublishAt)
		}
		if steps := n.number(t, "SELECT count(*) FROM reviews WHERE post_id = ?", p.ID); steps != 6 {
			t.Errorf("%d steps are remembered, want 6", steps)
		}
	})
}

func TestStepsFromTheWrongStateAreRefused(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		steps := map[string]func(id int64) error{
			"submit":    func(id int64) error { return n.Submit(ctx, n.ben, id, "") },
			"publish":   func(id int64) error { return n.Publish(ctx, n.sam, id, 0, time.Time{}, "") },
			"send back": func(id int64) error { return n.SendBack(ctx, n.sam, id, "Words.") },
			"decline":   func(id int64) error { return n.Decline(ctx, n.sam, id, "Words.") },
			"withdraw":  func(id int64) error { return n.Withdraw(ctx, n.sam, id, "") },
		}
		allowed := map[models.PostStatus]string{
			models.PostDraft: "submit publish", models.PostSubmitted: "publish send back decline", models.PostChangesAsked: "submit publish",
			models.PostPublished: "withdraw", models.PostDeclined: "", models.PostWithdrawn: "publish",
		}
		for status, may := range allowed {
			for name, step := range steps {
				p := n.write(t, fmt.Sprintf("%s %s", status, name))
				if err := testkit.DB(t, n.Store).Exec("UPDATE posts SET status = ?, publish_at = ? WHERE id = ?", string(status), n.Now(), p.ID).Error; err != nil {
					t.Fatal(err)
				}
				err := step(p.ID)
				if strings.Contains(may, name) && err != nil || !strings.Contains(may, name) && !errors.Is(err, models.ErrTransition) {
					t.Errorf("%s a post that is %s: %v", name, status, err)
				}
			}
		}
	})
}

func TestAPostCanBeScheduledAndTakenBack(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		p := n.write(t, "Later")
		if err := n.Publish(ctx, n.sam, p.ID, 0, n.Now().Add(time.Hour), ""); err != nil {
			t.Fatal(err)
		}
		if scheduled := n.post(t, p.ID); scheduled.PublicAt(n.Now()) || !scheduled.PublicAt(n.Now().Add(time.Hour)) {
			t.Errorf("public from %v", scheduled.PublishAt)
		}
		for _, scheduled := range []bool{true, false} {
			_, total, err := n.DeskPosts(ctx, n.sam, models.DeskPostFilter{Status: models.PostPublished, Scheduled: scheduled, Limit: 9})
			if err != nil || (total == 1) != scheduled {
				t.Errorf("%d posts, scheduled %t, %v", total, scheduled, err)
			}
		}
		if err := n.Withdraw(ctx, n.sam, p.ID, ""); err != nil {
			t.Fatal(err)
		}
		if back := n.post(t, p.ID); back.Status != models.PostDraft || back.PublishAt != nil {
			t.Errorf("%s, %v: it was never public", back.Status, back.PublishAt)
		}
		if err := n.Publish(ctx, n.sam, p.ID, 0, time.Time{}, ""); err != nil {
			t.Fatal(err)
		}
		if err := n.Withdraw(ctx, n.sam, p.ID, ""); err != nil {
			t.Fatal(err)
		}
		again := n.Now().Add(time.Hour)
		if err := n.Publish(ctx, n.sam, p.ID, 0, again, ""); err != nil {
			t.Fatal(err)
		}
		if later := n.post(t, p.ID); later.PublicAt(n.Now()) || !later.PublicAt(again) {
			t.Errorf("taken back and scheduled anew, it is public from %v", later.PublishAt)
		}
	})
}

func TestNoTextIsLostWhenTwoSave(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		p := n.write(t, "Two editors")
		edit := draft("Two editors")
		edit.Version, edit.Markdown = p.Version, "First."
		if _, err := n.SavePost(ctx, n.ben, p.ID, edit); err != nil {
			t.Fatal(err)
		}
		edit.Markdown = "Second."
		if _, err := n.SavePost(ctx, n.sam, p.ID, edit); !errors.Is(err, models.ErrStale) {
			t.Errorf("the second save: %v", err)
		}
		if err := n.Publish(ctx, n.sam, p.ID, p.Version, time.Time{}, ""); !errors.Is(err, models.ErrStale) {
			t.Errorf("publishing a text that nobody read: %v", err)
		}
		edit.Version = n.post(t, p.ID).Version
		if _, err := n.SavePost(ctx, n.sam, p.ID, edit); err != nil {
			t.Fatal(err)
		}
		_, revisions, err := n.PostHistory(ctx, p.ID)
		if err != nil || len(revisions) != 3 || revisions[0].Person != "Sam Example" {
			t.Fatalf("revisions %+v, %v", revisions, err)
		}
		if err := n.RestoreRevision(ctx, n.ben, p.ID, revisions[1].ID, n.post(t, p.ID).Version); err != nil {
			t.Fatal(err)
		}
		if text := n.post(t, p.ID).Markdown; text != "First." {
			t.Errorf("restored text %q", text)
		}
		if _, revisions, _ = n.PostHistory(ctx, p.ID); len(revisions) != 4 {
			t.Errorf("%d revisions: restoring makes one", len(revisions))
		}
	})
}

func TestWhatIsPublicOnlyStaffChange(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		p := n.write(t, "Public")
		if err := n.Publish(ctx, n.sam, p.ID, 0, time.Time{}, ""); err != nil {
			t.Fatal(err)
		}
		p = n.post(t, p.ID)
		edit := draft("Public")
		edit.Version = p.Version
		if _, err := n.SavePost(ctx, n.ben, p.ID, edit); !errors.Is(err, models.ErrTransition) {
			t.Errorf("the author: %v", err)
		}
		if _, err := n.SavePost(ctx, n.bob, p.ID, edit); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another author: %v", err)
		}
		edit.Slug = "moved"
		saved, err := n.SavePost(ctx, n.sam, p.ID, edit)
		if err != nil || saved.ChangedAt != nil {
			t.Errorf("the text is as it was, but says changed at %v; %v", saved.ChangedAt, err)
		}
		if old := n.number(t, "SELECT count(*) FROM slug_history WHERE kind = 'post' AND slug = 'public' AND object_id = ?", p.ID); old != 1 {
			t.Error("the old address is forgotten")
		}
		other := draft("Another")
		other.Slug = "public"
		if _, err := n.CreatePost(ctx, n.ben, other); !errors.Is(err, models.ErrSlugTaken) {
			t.Errorf("another post takes the old address: %v", err)
		}
		edit.Version, edit.Slug, edit.Markdown = saved.Version, "public", "New text."
		if saved, err = n.SavePost(ctx, n.sam, p.ID, edit); err != nil || saved.ChangedAt == nil {
			t.Errorf("changed at %v, %v", saved.ChangedAt, err)
		}
		if left := n.number(t, "SELECT count(*) FROM slug_history WHERE kind = 'post' AND slug = 'public'"); left != 0 {
			t.Error("the post's address leads to itself")
		}
	})
}

func TestAnAuthorSetsOnlyWhatIsTheirs(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		edit := draft("Mine")
		edit.Bylines = []models.BylineEdit{{Name: "Somebody Famous"}}
		edit.NewSeries = "A series of my own"
		p, err := n.CreatePost(ctx, n.ben, edit)
		if err != nil {
			t.Fatal(err)
		}
		filing, err := n.PostFiling(ctx, p)
		if err != nil || len(filing.Bylines) != 1 || filing.Bylines[0].Name != "Ben Example" || p.SeriesID != nil {
			t.Errorf("bylines %+v, series %v, %v", filing.Bylines, p.SeriesID, err)
		}
		edit.GroupID = 99
		if _, err := n.CreatePost(ctx, n.ben, edit); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("another's group: %v", err)
		}
		edit.GroupID = 0
		if err := testkit.DB(t, n.Store).Exec(`INSERT INTO events (id, slug, uid, status, kind, mode, title, timezone, starts_local, ends_local, starts_at, ends_at, created_at, updated_at)
			VALUES (7, 'secret', 'secret@example.org', 'draft', 'meetup', 'online', 'Secret', 'UTC', '2030-01-01T10:00', '2030-01-01T11:00', ?, ?, ?, ?)`,
			n.Now(), n.Now().Add(time.Hour), n.Now(), n.Now()).Error; err != nil {
			t.Fatal(err)
		}
		for _, event := range []int64{7, 99} {
			edit.AnnouncesID = event
			if _, err := n.CreatePost(ctx, n.ben, edit); !errors.Is(err, models.ErrInvalid) {
				t.Errorf("announces the event %d, which is another's draft or none: %v", event, err)
			}
		}
		edit.AnnouncesID, edit.SeriesID = 0, 99
		if _, err := n.CreatePost(ctx, n.ben, edit); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("a series that is not there: %v", err)
		}
		edit.SeriesID, edit.Version = 0, p.Version
		edit.Bylines = []models.BylineEdit{{Name: "ben example", Title: "Engineer"}, {Name: "Tracy Ragan", Title: "CEO", Employer: "DeployHub"}}
		if _, err := n.SavePost(ctx, n.sam, p.ID, edit); err != nil {
			t.Fatal(err)
		}
		filing, err = n.PostFiling(ctx, p)
		if err != nil || len(filing.Bylines) != 2 || filing.Bylines[0].Title != "Engineer" || filing.Bylines[1].Slug != "tracy-ragan" {
			t.Errorf("bylines %+v, %v", filing.Bylines, err)
		}
	})
}

func TestTheLastAdminStays(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		if err := n.SetRole(ctx, n.ada, n.ada.UserID, 1, models.RoleStaff); !errors.Is(err, models.ErrLastAdmin) {
			t.Errorf("the last admin: %v", err)
		}
		for _, role := range []models.Role{models.RoleStaff, models.RoleAdmin} {
			if err := n.SetRole(ctx, n.sam, n.ben.UserID, 1, role); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("staff give the role %s: %v", role, err)
			}
			if _, err := n.Invite(ctx, n.sam, models.NewUser{Name: "X", Email: "x@example.org", Role: role}); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("staff invite as %s: %v", role, err)
			}
		}
		if err := n.SetRole(ctx, n.ada, n.sam.UserID, 1, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		if err := n.SetRole(ctx, n.ada, n.ada.UserID, 1, models.RoleAmbassador); err != nil {
			t.Errorf("one of two admins: %v", err)
		}
		if profiles := n.number(t, "SELECT count(*) FROM ambassadors WHERE user_id = ?", n.ada.UserID); profiles != 1 {
			t.Errorf("%d profiles of the new ambassador", profiles)
		}
		people, total, byRole, err := n.People(ctx, n.sam, models.PeopleFilter{Query: "EXAMPLE", Limit: 10})
		if err != nil || total != 4 || len(people) != 4 || byRole[models.RoleAmbassador] != 3 || people[0].SeenAt == nil {
			t.Errorf("%d people, %v, %v", total, byRole, err)
		}
		if err := n.EndSessions(ctx, n.sam, n.ben.UserID); err != nil || n.number(t, "SELECT count(*) FROM sessions WHERE user_id = ?", n.ben.UserID) != 0 {
			t.Errorf("sessions go on, %v", err)
		}
	})
}

func TestAProfileIsItsOwnersAndStaffs(t *testing.T) {
	onEachNewsroom(t, func(t *testing.T, n *newsroom) {
		ctx := t.Context()
		edit := models.ProfileEdit{Version: 1, Name: "Ben Example", Country: "nz", Markdown: "I test pipelines.", Languages: []string{"en", "mi"}, Handle: "@ben"}
		if err := n.PublishProfile(ctx, n.sam, n.ben.AmbassadorID); !errors.Is(err, models.ErrTransition) {
			t.Errorf("an empty profile is published: %v", err)
		}
		if err := n.SaveProfile(ctx, n.bob, n.ben.AmbassadorID, edit); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another ambassador: %v", err)
		}
		if err := n.SaveProfile(ctx, n.ben, n.ben.AmbassadorID, edit); err != nil {
			t.Fatal(err)
		}
		if err := n.SaveProfile(ctx, n.ben, n.ben.AmbassadorID, edit); !errors.Is(err, models.ErrStale) {
			t.Errorf("a second save from the first version: %v", err)
		}
		degrees := 200.0
		edit.Version, edit.Latitude, edit.Country = 2, &degrees, "New Zealand"
		if err := n.SaveProfile(ctx, n.ben, n.ben.AmbassadorID, edit); !errors.Is(err, models.ErrInvalid) {
			t.Errorf("half a place: %v", err)
		}
		if err := n.PublishProfile(ctx, n.ben, n.ben.AmbassadorID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("the ambassador publishes: %v", err)
		}
		if err := n.PublishProfile(ctx, n.sam, n.ben.AmbassadorID); err != nil {
			t.Fatal(err)
		}
		a, err := n.DeskAmbassador(ctx, n.ben, n.ben.AmbassadorID)
		if err != nil || a.Status != models.AmbassadorPublished || a.Country != "NZ" || a.Handle != "ben" || a.HTML == "" {
			t.Errorf("profile %+v, %v", a, err)
		}
		events, err := n.NextEvents(ctx, n.ben, 5)
		if err != nil || len(events) != 0 {
			t.Errorf("events of others: %v, %v", events, err)
		}
		if _, err := n.LatestHappenings(ctx, n.ben, 5); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an ambassador reads the audit log: %v", err)
		}
		if latest, err := n.LatestHappenings(ctx, n.sam, 5); err != nil || latest[0].Action != "ambassador.publish" || latest[0].Subject != "Ben Example" {
			t.Errorf("latest %+v, %v", latest, err)
		}
	})
}
