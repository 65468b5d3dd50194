package models_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// admin erases others in these tests.
func (s *stage) admin(t *testing.T) models.Viewer {
	t.Helper()
	return s.account(t, "root@example.org", "Ida Root", models.RoleAdmin)
}

// account makes an account that is signed in.
func (s *stage) account(t *testing.T, email, name string, role models.Role) models.Viewer {
	t.Helper()
	user, token, err := s.AddUser(t.Context(), models.Viewer{Role: "command"}, models.NewUser{Email: email, Name: name, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := s.SignIn(t.Context(), models.Viewer{}, token, "Firefox/1 Linux")
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.ViewerBySession(t.Context(), session)
	if err != nil || v.UserID != user.ID {
		t.Fatal(v, err)
	}
	return v
}

func (s *stage) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if err := testkit.DB(t, s.Store).Exec(sql, args...).Error; err != nil {
		t.Fatal(err)
	}
}

// must fails the test on an error of a step that prepares it.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// zelda is somebody who did all that one can do: she came to an event, has places at others, writes, has a profile, pictures
// and a group.
func (s *stage) zelda(t *testing.T, admin models.Viewer) models.Viewer {
	t.Helper()
	ctx := t.Context()
	register := func(slug, email string) models.Registration {
		r, err := s.Register(ctx, slug, models.RegisterInput{Name: "Zelda Quux", Email: email, Tickets: []string{"a"}, Consent: true, Nonce: slug})
		must(t, err)
		return r
	}
	past := s.newEvent(t, "past", 20)
	s.newEvent(t, "dropped", 20)
	register("past", "Zelda+jazz@example.org")
	s.exec(t, "UPDATE events SET starts_at = ?, ends_at = ? WHERE id = ?", noon.AddDate(0, -2, 0), noon.AddDate(0, -2, 0).Add(time.Hour), past.ID)
	gone := register("dropped", "zelda@example.org")
	_, err := s.Cancel(ctx, s.RegistrationToken(gone))
	must(t, err)
	register("game-day", "zelda@example.org")

	v := s.account(t, "zelda@example.org", "Zelda Quux", models.RoleAmbassador)
	must(t, s.RequestSignIn(ctx, "zelda@example.org", ""))
	photo, err := s.AddMedium(ctx, v, models.Medium{Name: "0a1b.png", ContentType: "image/png", Width: 1, Height: 1, Size: 1, Alt: "Zelda in a garden", Credit: "Zelda Quux"})
	must(t, err)
	cover, err := s.AddMedium(ctx, v, models.Medium{Name: "0a1c.png", ContentType: "image/png", Width: 1, Height: 1, Size: 1, Alt: "A garden of pipes", Credit: "Photo: zelda quux"})
	must(t, err)
	must(t, s.SaveProfile(ctx, v, v.AmbassadorID, models.ProfileEdit{
		Version: 1, Name: "Zelda Quux", Title: "Gardener", Markdown: "Zelda grows pipelines.", PhotoID: photo.ID, Handle: "zelda_quux",
	}))
	must(t, s.PublishProfile(ctx, admin, v.AmbassadorID))
	s.exec(t, `INSERT INTO slug_history (kind, slug, object_id, created_at) VALUES ('ambassador', 'zelda-q', ?, ?)`, v.AmbassadorID, noon)
	write := func(title string, coverID int64) models.Post {
		p, err := s.CreatePost(ctx, v, models.PostEdit{Title: title, Markdown: "Words that stay.", Language: "en", Licence: "CC-BY-4.0", CoverID: coverID})
		must(t, err)
		return p
	}
	write("Notes of zelda’s own", 0)
	published := write("Pruning pipelines", cover.ID)
	must(t, s.Submit(ctx, v, published.ID, "Please read"), s.Publish(ctx, admin, published.ID, 0, time.Time{}, ""))
	group, err := s.CreateGroup(ctx, admin, models.GroupInput{Name: "CDF Hyrule", City: "Hyrule", Country: "DE", Latitude: 1, Longitude: 1, Timezone: "UTC"})
	must(t, err, s.AddOrganiser(ctx, admin, group.ID, "zelda@example.org"))
	v.GroupIDs = []int64{group.ID}
	return v
}

// naming are the rows of the database that still say one of some words.
func (s *stage) naming(t *testing.T, words ...string) (rows []string) {
	t.Helper()
	for _, row := range testkit.Dump(t, s.Store) {
		for _, word := range words {
			if strings.Contains(strings.ToLower(row), word) {
				rows = append(rows, row)
				break
			}
		}
	}
	return rows
}

func TestErasingAnAccountLeavesNumbersAndNoName(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		admin := s.admin(t)
		other := s.account(t, "zelma@example.org", "Zelma Quuz", models.RoleAmbassador)
		_, err := s.Register(ctx, "game-day", models.RegisterInput{Name: "Zelma Quuz", Email: "zelma@example.org", Tickets: []string{"a"}, Consent: true})
		must(t, err)
		zelda := s.zelda(t, admin)
		s.clock.Advance(time.Minute)

		e, err := s.ErasureOf(ctx, zelda, zelda.UserID)
		if err != nil || len(e.Coming) != 1 || e.Registrations != 3 || e.Posts != 1 || e.Published != 1 || e.Pictures != 2 || e.Profile != "Zelda Quux" || len(e.Groups) != 1 || e.LastAdmin {
			t.Errorf("told of %+v, %v", e, err)
		}
		if _, err := s.ErasureOf(ctx, other, zelda.UserID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another is told of it: %v", err)
		}
		if err := s.EraseAccount(ctx, other, zelda.UserID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another may erase: %v", err)
		}
		entries := s.count(t, "SELECT count(*) FROM audit_entries")
		must(t, s.EraseAccount(ctx, zelda, zelda.UserID))

		for _, row := range s.naming(t, "zelda", "quux") {
			if !strings.HasPrefix(row, "mails ") || !strings.Contains(row, "kind=erased") {
				t.Errorf("left: %s", row)
			}
		}
		s.exec(t, "DELETE FROM mails WHERE recipient = 'zelma@example.org'")
		mails, err := s.ClaimMails(ctx, 9)
		if err != nil || len(mails) != 1 || mails[0].Kind != models.MailErased || mails[0].Recipient != "zelda@example.org" {
			t.Fatalf("mails to her: %+v, %v", mails, err)
		}
		must(t, s.MailSent(ctx, mails[0].ID))
		if rows := s.naming(t, "zelda", "quux"); len(rows) > 0 {
			t.Errorf("left after the last mail: %q", rows)
		}
		for name, word := range map[string]string{"her name": "zelda", "what she did not publish": "notes"} {
			found, err := s.Search(ctx, models.SearchFilter{Query: word, Limit: 9})
			if err != nil || found.Total != 0 {
				t.Errorf("the search finds %s: %+v, %v", name, found, err)
			}
		}

		if n := s.count(t, "SELECT count(*) FROM registrations WHERE erased_at IS NOT NULL"); n != 3 {
			t.Errorf("%d registrations are erased, want 3", n)
		}
		if n := s.count(t, "SELECT count(*) FROM registrations r JOIN events e ON e.id = r.event_id WHERE e.slug = 'past' AND r.status = 'confirmed'"); n != 1 {
			t.Errorf("the past event counts %d", n)
		}
		if n := s.count(t, "SELECT taken FROM quotas q JOIN events e ON e.id = q.event_id WHERE e.slug = 'game-day' AND q.slug = 'room'"); n != 1 {
			t.Errorf("%d seats are taken at the coming event, want the other's alone", n)
		}
		s.sound(t)
		if n := s.count(t, "SELECT count(*) FROM posts p JOIN post_bylines pb ON pb.post_id = p.id JOIN bylines b ON b.id = pb.byline_id WHERE b.name = ? AND b.slug = 'former-author' AND p.user_id IS NULL", models.FormerAuthor); n != 1 {
			t.Errorf("%d posts of a former author", n)
		}
		if n := s.count(t, "SELECT count(*) FROM posts"); n != 1 {
			t.Errorf("%d posts are left, want the published one", n)
		}
		if n := s.count(t, "SELECT count(*) FROM media WHERE name = '0a1c.png' AND credit = '' AND user_id IS NULL"); n != 1 || s.count(t, "SELECT count(*) FROM media") != 1 {
			t.Error("the cover of what stays is gone, or more than it is left")
		}
		if n := s.count(t, "SELECT count(*) FROM file_removals WHERE kind = 'upload' AND name = '0a1b.png'"); n != 1 {
			t.Error("the photo's file stays")
		}
		if n := s.count(t, "SELECT count(*) FROM sessions"); n != 2 {
			t.Errorf("%d sessions, want those of the two others", n)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries"); n <= entries {
			t.Errorf("the audit log has %d entries, had %d", n, entries)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'user.erase' AND user_id IS NULL AND actor = 'ambassador'"); n != 1 {
			t.Errorf("%d entries tell of it", n)
		}
		if n := s.count(t, "SELECT count(*) FROM registrations WHERE email_key = 'zelma@example.org'"); n != 1 {
			t.Error("somebody else was erased")
		}
	})
}

func TestAnAdminErasesAnotherAndTheLastAdminStays(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		ida := s.admin(t)
		if err := s.EraseAccount(ctx, ida, ida.UserID); !errors.Is(err, models.ErrLastAdmin) {
			t.Errorf("the last admin erases themselves: %v", err)
		}
		if e, err := s.ErasureOf(ctx, ida, ida.UserID); err != nil || !e.LastAdmin {
			t.Errorf("not told so: %v", err)
		}
		staff := s.account(t, "staff@example.org", "Sam", models.RoleStaff)
		second := s.account(t, "second@example.org", "Second", models.RoleAdmin)
		if err := s.EraseAccount(ctx, staff, second.UserID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("staff erase an admin: %v", err)
		}
		must(t, s.EraseAccount(ctx, ida, second.UserID))
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'user.erase' AND user_id = ? AND subject_id = ?", ida.UserID, second.UserID); n != 1 {
			t.Errorf("%d entries say who did it", n)
		}
	})
}

func TestTwoAdminsWhoEraseThemselvesAtOnceLeaveOne(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		admins := []models.Viewer{s.admin(t), s.account(t, "second@example.org", "Second", models.RoleAdmin)}
		together(2, func(i int) error { return s.EraseAccount(context.Background(), admins[i], admins[i].UserID) })
		if n := s.count(t, "SELECT count(*) FROM users WHERE role = 'admin'"); n < 1 {
			t.Error("no admin is left")
		}
	})
}

func TestARegistrationIsErasedOnceNobodyIsWaitedFor(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		admin, clerk := s.admin(t), s.account(t, "staff@example.org", "Sam", models.RoleStaff)
		r, err := s.Register(ctx, "game-day", models.RegisterInput{Name: "Zelda Quux", Email: "zelda@example.org", Tickets: []string{"a"}, Consent: true})
		must(t, err)
		second, err := s.Register(ctx, "game-day", models.RegisterInput{Name: "Yolanda Quux", Email: "yolanda@example.org", Tickets: []string{"b"}, Consent: true})
		must(t, err)
		token := s.RegistrationToken(r)
		if _, err := s.EraseRegistration(ctx, token); !errors.Is(err, models.ErrPlaceHeld) {
			t.Errorf("a held place: %v", err)
		}
		if err := s.EraseAttendee(ctx, admin, s.event.ID, r.ID); !errors.Is(err, models.ErrPlaceHeld) {
			t.Errorf("a held place, by an admin: %v", err)
		}
		_, err = s.Cancel(ctx, token)
		must(t, err)
		event, err := s.EraseRegistration(ctx, token)
		if err != nil || event.Slug != "game-day" {
			t.Errorf("cancelled: %v", err)
		}
		if _, err := s.RegistrationByToken(ctx, token); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("its link still opens it: %v", err)
		}
		s.clock.Set(s.event.EndsAt.Add(time.Second))
		if err := s.EraseAttendee(ctx, clerk, s.event.ID, second.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("staff erase: %v", err)
		}
		must(t, s.EraseAttendee(ctx, admin, s.event.ID, second.ID))
		if err := s.EraseAttendee(ctx, admin, s.event.ID, second.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
		for _, row := range s.naming(t, "zelda", "yolanda", "quux") {
			if !strings.Contains(row, "kind=erased") {
				t.Errorf("left: %s", row)
			}
		}
		if n := s.count(t, "SELECT count(*) FROM registrations WHERE status = 'confirmed'"); n != 1 {
			t.Errorf("%d came, want 1", n)
		}
		s.sound(t)
	})
}

func TestWhatWasKeptForItsTimeIsForgotten(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		admin := s.admin(t)
		_, err := s.Register(ctx, "game-day", models.RegisterInput{Name: "Zelda Quux", Email: "zelda@example.org", Tickets: []string{"a"}, Consent: true})
		must(t, err)
		mails, err := s.ClaimMails(ctx, 9)
		must(t, err)
		for _, m := range mails {
			must(t, s.MailSent(ctx, m.ID))
		}
		if err := s.SetRetention(ctx, models.Viewer{UserID: 9, Role: models.RoleStaff}, models.DefaultRetention); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("staff set it: %v", err)
		}
		var wrong models.FieldErrors
		if err := s.SetRetention(ctx, admin, models.Retention{AttendeeDays: 6, MailDays: 0, AuditDays: 89}); !errors.As(err, &wrong) || len(wrong) != 3 {
			t.Errorf("too short is taken: %v", err)
		}
		must(t, s.SetRetention(ctx, admin, models.Retention{AttendeeDays: 30, MailDays: 10, AuditDays: 100}))
		if r, err := s.Retention(ctx); err != nil || r != (models.Retention{AttendeeDays: 30, MailDays: 10, AuditDays: 100}) {
			t.Errorf("kept %+v, %v", r, err)
		}
		mailsLeft := func() int { return s.count(t, "SELECT count(*) FROM mails") }
		named := func() int { return s.count(t, "SELECT count(*) FROM registrations WHERE name <> ''") }
		entries := func() int {
			return s.count(t, "SELECT count(*) FROM audit_entries WHERE created_at <= ?", noon)
		}
		for _, step := range []struct {
			at                    time.Time
			mails, named, entries int
		}{
			{noon.AddDate(0, 0, 10), 1, 1, entries()},
			{noon.AddDate(0, 0, 10).Add(time.Second), 0, 1, entries()},
			{s.event.EndsAt.AddDate(0, 0, 30), 0, 1, entries()},
			{s.event.EndsAt.AddDate(0, 0, 30).Add(time.Second), 0, 0, entries()},
			{noon.AddDate(0, 0, 100), 0, 0, entries()},
			{noon.AddDate(0, 0, 101), 0, 0, 0},
		} {
			s.clock.Set(step.at)
			if _, err := s.Forget(ctx); err != nil {
				t.Fatal(err)
			}
			if m, n, e := mailsLeft(), named(), entries(); m != step.mails || n != step.named || e != step.entries {
				t.Errorf("at %s: %d mails, %d names, %d old entries; want %d, %d, %d", step.at, m, n, e, step.mails, step.named, step.entries)
			}
		}
		if rows := s.naming(t, "zelda", "quux"); len(rows) > 0 {
			t.Errorf("left: %q", rows)
		}
		if n := s.count(t, "SELECT count(*) FROM audit_entries WHERE action IN ('attendees.erase', 'audit.forget') AND actor = 'retention'"); n != 2 {
			t.Errorf("%d entries tell of it, want 2", n)
		}
		s.sound(t)
	})
}

func TestTheAuditLogCannotBeChanged(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		v := s.admin(t)
		refused := func(why, sql string, args ...any) {
			t.Helper()
			err := testkit.DB(t, s.Store).Exec(sql, args...).Error
			if err == nil || !strings.Contains(err.Error(), "the audit log cannot be changed") {
				t.Errorf("%s: %v", why, err)
			}
		}
		before := testkit.Dump(t, s.Store)
		refused("another action", "UPDATE audit_entries SET action = 'x'")
		refused("another actor", "UPDATE audit_entries SET user_id = NULL WHERE user_id = ?", v.UserID)
		refused("a fresh entry goes", "DELETE FROM audit_entries WHERE id = 1")
		refused("all go", "DELETE FROM audit_entries")
		if testkit.DB(t, s.Store).Name() == "postgres" {
			refused("emptied", "TRUNCATE audit_entries")
		} else {
			refused("written over", "INSERT OR REPLACE INTO audit_entries (id, actor, action, subject, subject_id, created_at) VALUES (1, 'x', 'x', 'x', 1, ?)", noon)
		}
		// A clock that was moved ahead leaves its trace, and what is younger than 60 days to it stays.
		s.exec(t, "INSERT INTO audit_entries (actor, action, subject, subject_id, created_at) VALUES ('x', 'x', 'x', 1, ?)", noon.AddDate(0, 0, 59))
		refused("at 59 days", "DELETE FROM audit_entries WHERE id = 1")
		if now := testkit.Dump(t, s.Store); len(now) != len(before)+1 {
			t.Errorf("%d rows, were %d", len(now), len(before))
		}
		s.exec(t, "INSERT INTO audit_entries (actor, action, subject, subject_id, created_at) VALUES ('x', 'x', 'x', 1, ?)", noon.AddDate(0, 0, 61))
		s.exec(t, "DELETE FROM audit_entries WHERE id = 1")
	})
}

func TestTheAuditLogIsSearchedByWhoWhatAndWhen(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		admin := s.admin(t)
		s.clock.Advance(time.Hour)
		clerk := s.account(t, "staff@example.org", "Sam Älgen", models.RoleStaff)
		_, err := s.CreateGroup(ctx, clerk, models.GroupInput{Name: "CDF Hyrule", City: "Hyrule", Country: "DE", Latitude: 1, Longitude: 1, Timezone: "UTC"})
		must(t, err)
		r, err := s.Register(ctx, "game-day", models.RegisterInput{Name: "Zelda", Email: "zelda@example.org", Tickets: []string{"a"}, Consent: true})
		must(t, err)
		if _, err := s.AuditLog(ctx, clerk, models.AuditFilter{Limit: 9}); err != nil {
			t.Errorf("staff read it: %v", err)
		}
		if _, err := s.AuditLog(ctx, models.Viewer{UserID: clerk.UserID, Role: models.RoleAmbassador}, models.AuditFilter{Limit: 9}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("ambassadors read it: %v", err)
		}
		actions := func(f models.AuditFilter) string {
			t.Helper()
			f.Limit = 50
			lines, err := s.AuditLog(ctx, admin, f)
			if err != nil {
				t.Fatal(err)
			}
			words := make([]string, len(lines))
			for i, line := range lines {
				words[i] = line.Action
			}
			return strings.Join(words, " ")
		}
		all := "registration.create group.create session.create user.create session.create user.create setup.begin"
		for _, tt := range []struct {
			name string
			f    models.AuditFilter
			want string
		}{
			{"everything", models.AuditFilter{}, all},
			{"by name", models.AuditFilter{Who: "sam"}, "group.create session.create"},
			{"by address", models.AuditFilter{Who: "STAFF@"}, "group.create session.create"},
			{"by kind of actor", models.AuditFilter{Who: "attendee"}, "registration.create"},
			{"by action", models.AuditFilter{Actions: []string{"user.create"}}, "user.create user.create"},
			{"by subject", models.AuditFilter{Subject: "registrations", SubjectID: r.ID}, "registration.create"},
			{"since", models.AuditFilter{From: noon.Add(time.Minute)}, "registration.create group.create session.create user.create"},
			{"before", models.AuditFilter{To: noon.Add(time.Minute)}, "session.create user.create setup.begin"},
			{"older than another", models.AuditFilter{Before: 4}, "session.create user.create setup.begin"},
			{"nothing", models.AuditFilter{Who: "%"}, ""},
		} {
			if got := actions(tt.f); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
		lines, err := s.AuditLog(ctx, admin, models.AuditFilter{Limit: 2})
		if err != nil || lines[0].EventID != s.event.ID || lines[0].SubjectName != "Game day" || lines[1].Person != "Sam Älgen" || lines[1].SubjectName != "CDF Hyrule" || !lines[1].SubjectThere {
			t.Errorf("lines %+v, %v", lines, err)
		}
	})
}

// tablesOfPeople says of every table what becomes of a person in it: what an erasure does, and whether their own data is in
// what they take along. To add a table, add its row, and to eraseUser and OwnData what it says.
var tablesOfPeople = map[string]string{
	"users": "deleted; exported", "sessions": "deleted with the account; exported", "sign_in_links": "deleted with the account; secrets",
	"registrations": "emptied; exported", "registration_tickets": "kept for the counts; exported", "consents": "deleted; exported",
	"mails": "deleted, but the last; exported", "file_removals": "a hash for a day", "audit_entries": "leave the account; exported",
	"ambassadors": "deleted; exported", "bylines": "emptied; exported", "post_bylines": "kept", "posts": "drafts deleted, others leave the account; exported",
	"revisions": "of drafts deleted, others leave the account", "reviews": "leave the account; exported", "media": "deleted, but those of what stays; exported",
	"group_organisers": "deleted with the account; exported", "event_ambassadors": "deleted with the profile", "events": "leave the account; exported",
	"event_cancellations": "leave the account", "slug_history": "of profile and drafts deleted", "content_files": "of the profile deleted",
	"passwords": "deleted with the account; exported without it", "authenticators": "deleted with the account; exported without secrets",
	"recovery_codes": "deleted with the account; counted in the export", "passkeys": "deleted with the account; exported without keys",
	"half_sign_ins": "deleted with the account; secrets", "used_challenges": "", "guesses": "keyed hashes, forgotten with the sessions",
	"search_documents": "written anew", "speakers": "the public programme of an event, kept",

	"settings": "", "cohorts": "", "groups": "", "event_series": "", "agenda_sessions": "", "sponsors": "", "quotas": "", "ticket_types": "", "ticket_type_quotas": "",
	"categories": "", "tags": "", "post_series": "", "post_categories": "", "post_tags": "", "post_counts": "", "pages": "", "job_runs": "", "backups": "leave the account",
}

func TestForEveryTableItIsSaidWhatBecomesOfPeopleInIt(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		tables, err := testkit.DB(t, s.Store).Migrator().GetTables()
		if err != nil || len(tables) == 0 {
			t.Fatal(tables, err)
		}
		found := map[string]bool{}
		for _, table := range tables {
			found[table] = true
			_, said := tablesOfPeople[table]
			ours := !strings.HasPrefix(table, "goose_") && !strings.HasPrefix(table, "sqlite_") && !strings.HasPrefix(table, "search_index") && table != "content_version" && table != "request_counts"
			if ours && !said {
				t.Errorf("%s has no row: say what erasing a person does to it", table)
			}
		}
		for table := range tablesOfPeople {
			if !found[table] {
				t.Errorf("%s has a row but is no table", table)
			}
		}
	})
}
