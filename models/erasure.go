package models

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdfoundation/portal/internal/auth"
)

// FormerAuthor is the byline of a published post whose author's account was erased.
const FormerAuthor = "Former author"

// lastMailKept is how long the mail that tells of an erasure stays where mails are kept as files: its reader reads it there.
const lastMailKept = 24 * time.Hour

// Erasure is what erasing an account takes away and what it leaves.
type Erasure struct {
	User          User
	Coming        []string // titles of the events whose places are given up
	Registrations int      // which lose name and address, those included
	Posts         int      // that are not published, which go
	Published     int      // which stay, without the name
	Pictures      int      // that were uploaded
	Profile       string   // whose it is, or empty
	Groups        []string // names of those that the account organises
	LastAdmin     bool     // the account has to stay
}

// ErasureOf tells what erasing an account would do, to its owner and to who may erase others. To everybody else the account
// is ErrNotFound.
func (s *Store) ErasureOf(ctx context.Context, by Viewer, userID int64) (Erasure, error) {
	var e Erasure
	var err error
	if e.User, err = s.erasable(ctx, by, userID); err != nil {
		return e, err
	}
	now := s.Now()
	err = s.read(ctx).Raw(`SELECT e.title FROM registrations r JOIN events e ON e.id = r.event_id
		WHERE r.email_key = ? AND r.status <> 'cancelled' AND e.status <> 'cancelled' AND e.ends_at > ? ORDER BY e.starts_at, e.id`, e.User.EmailKey, now).Scan(&e.Coming).Error
	if err != nil {
		return e, translate(err)
	}
	err = s.read(ctx).Raw(`SELECT (SELECT count(*) FROM registrations WHERE email_key = ?) AS registrations,
			(SELECT count(*) FROM posts WHERE user_id = ? AND status <> 'published') AS posts,
			(SELECT count(*) FROM posts WHERE user_id = ? AND status = 'published') AS published,
			(SELECT count(*) FROM media WHERE user_id = ?) AS pictures,
			COALESCE((SELECT name FROM ambassadors WHERE user_id = ?), '') AS profile`,
		e.User.EmailKey, userID, userID, userID, userID).Row().Scan(&e.Registrations, &e.Posts, &e.Published, &e.Pictures, &e.Profile)
	if err != nil {
		return e, translate(err)
	}
	err = s.read(ctx).Raw(`SELECT DISTINCT g.name FROM group_organisers o JOIN groups g ON g.id = o.group_id
		WHERE o.user_id = ? OR o.ambassador_id IN (SELECT id FROM ambassadors WHERE user_id = ?) ORDER BY g.name`, userID, userID).Scan(&e.Groups).Error
	if err != nil {
		return e, translate(err)
	}
	if e.User.Role == RoleAdmin {
		var others int64
		err = s.read(ctx).Raw("SELECT count(*) FROM users WHERE role = 'admin' AND id <> ? AND email <> ?", userID, firstAdminEmail).Scan(&others).Error
		e.LastAdmin = others == 0
	}
	return e, translate(err)
}

// erasable reads an account that the viewer may erase.
func (s *Store) erasable(ctx context.Context, by Viewer, userID int64) (User, error) {
	if !by.SignedIn() || userID != by.UserID && !by.Can(EraseOthers, Object{}) {
		return User{}, fmt.Errorf("%w: account %d", ErrNotFound, userID)
	}
	return s.UserByID(ctx, userID)
}

// EraseAccount erases an account with all that names its owner: places at coming events are given up, other registrations
// stay as numbers, what was not published goes, and what was stays without the name. Mails that wait are dropped, but one
// that tells of it. The owner may, and who may erase others; to everybody else it is ErrNotFound. The last admin's is
// ErrLastAdmin.
func (s *Store) EraseAccount(ctx context.Context, by Viewer, userID int64) error {
	return s.tx(ctx, func(tx *Store) error {
		user, err := tx.erasable(ctx, by, userID)
		if err != nil {
			return err
		}
		// Whoever changes an event locks it before anything else, and so do we.
		registrations, err := tx.registrationsToErase(ctx, user.EmailKey)
		if err != nil {
			return err
		}
		if user.Role == RoleAdmin {
			if err := tx.keepAnAdmin(ctx, userID); err != nil {
				return err
			}
		}
		if user, err = tx.lockUser(ctx, userID); err != nil {
			return err
		}
		return tx.eraseUser(ctx, by, user, registrations)
	})
}

// registrationToErase is a registration with its event, which is locked.
type registrationToErase struct {
	Registration
	event Event
}

// registrationsToErase locks the events that an address registered for, in the order of their numbers, and reads the
// registrations as they are then.
func (s *Store) registrationsToErase(ctx context.Context, emailKey string) ([]registrationToErase, error) {
	var eventIDs []int64
	if err := s.read(ctx).Raw("SELECT DISTINCT event_id FROM registrations WHERE email_key = ? ORDER BY event_id", emailKey).Scan(&eventIDs).Error; err != nil {
		return nil, err
	}
	var all []registrationToErase
	for _, id := range eventIDs {
		event, err := s.lockEvent(ctx, id)
		if err != nil {
			return nil, err
		}
		var of []Registration
		if err := s.read(ctx).Where("event_id = ? AND email_key = ?", id, emailKey).Order("id").Find(&of).Error; err != nil {
			return nil, err
		}
		for _, r := range of {
			all = append(all, registrationToErase{r, event})
		}
	}
	return all, nil
}

func (s *Store) eraseUser(ctx context.Context, by Viewer, user User, registrations []registrationToErase) error {
	addresses := []string{user.Email}
	for _, r := range registrations {
		addresses = append(addresses, r.Email)
		if r.Status != RegistrationCancelled && r.event.Status != EventCancelled && !r.event.PastAt(s.Now()) {
			if err := s.giveUp(ctx, unnamed(by, user.ID), &r.Registration); err != nil {
				return err
			}
		}
		if err := s.eraseRegistration(ctx, unnamed(by, user.ID), r.Registration); err != nil {
			return err
		}
	}
	if err := s.dropMails(ctx, "user_id = ? OR recipient IN ? OR post_id IN (SELECT id FROM posts WHERE user_id = ?)", user.ID, addresses, user.ID); err != nil {
		return err
	}
	second := s.Now().Truncate(time.Second)
	if err := s.removeFile(ctx, FileMailbox, MailboxHash(user.Email), s.Now(), &second); err != nil {
		return err
	}
	if err := s.eraseWriting(ctx, user); err != nil {
		return err
	}
	if err := s.erasePictures(ctx, user); err != nil {
		return err
	}
	if err := s.audit(ctx, unnamed(by, user.ID), "user.erase", "users", user.ID, "", ""); err != nil {
		return err
	}
	if user.Email != firstAdminEmail {
		if err := s.tellOfErasure(ctx, user.Email, ""); err != nil {
			return err
		}
	}
	return changed(s.write(ctx).Where("id = ?", user.ID).Delete(&User{}), "account", user.ID)
}

// unnamed is who acts on an account, without its number when that account itself is about to go.
func unnamed(by Viewer, userID int64) Viewer {
	if by.UserID == userID {
		return Viewer{Role: by.Role}
	}
	return by
}

// eraseRegistration takes everything from a registration that names its person; the row is counted on.
func (s *Store) eraseRegistration(ctx context.Context, by Viewer, r Registration) error {
	if err := s.dropMails(ctx, "registration_id = ?", r.ID); err != nil {
		return err
	}
	if err := s.write(ctx).Where("registration_id = ?", r.ID).Delete(&Consent{}).Error; err != nil {
		return err
	}
	if err := changed(s.write(ctx).Model(&Registration{}).Where("id = ? AND erased_at IS NULL", r.ID).Updates(s.erasedRegistration()), "registration", r.ID); err != nil {
		return err
	}
	return s.audit(ctx, by, "registration.erase", "registrations", r.ID, "", "")
}

// dropMails deletes mails, sent or not, and the files in which they may be kept.
func (s *Store) dropMails(ctx context.Context, where string, args ...any) error {
	var mails []Mail
	if err := s.read(ctx).Where(where, args...).Order("id").Find(&mails).Error; err != nil {
		return err
	}
	for _, m := range mails {
		due := s.Now()
		if m.LeasedUntil != nil && m.LeasedUntil.After(due) {
			due = *m.LeasedUntil // it is being sent
		}
		if err := s.removeFile(ctx, FileMail, m.MessageID(), due, nil); err != nil {
			return err
		}
	}
	return s.write(ctx).Where(where, args...).Delete(&Mail{}).Error
}

// tellOfErasure mails an address for the last time. what is the title of the event whose registration is erased, or empty
// for an account. The mail's row goes when it is sent.
func (s *Store) tellOfErasure(ctx context.Context, address, what string) error {
	m := Mail{Kind: MailErased, DedupeKey: string(MailErased) + "/" + auth.NewToken(), Recipient: address, Note: what, NextAt: s.Now(), CreatedAt: s.Now()}
	if err := s.write(ctx).Create(&m).Error; err != nil {
		return err
	}
	return s.removeFile(ctx, FileMail, m.MessageID(), s.Now().Add(lastMailKept), nil)
}

// eraseWriting takes an account's profile and what it wrote and did not publish, and its name off what it published.
func (s *Store) eraseWriting(ctx context.Context, user User) error {
	var drafts []int64
	if err := s.read(ctx).Raw("SELECT id FROM posts WHERE user_id = ? AND status <> 'published' ORDER BY id", user.ID).Scan(&drafts).Error; err != nil {
		return err
	}
	for _, id := range drafts {
		if err := s.removeNamed(ctx, "post", "posts", id); err != nil {
			return err
		}
	}
	var profiles []Ambassador
	if err := s.read(ctx).Select("id", "slug").Where("user_id = ?", user.ID).Find(&profiles).Error; err != nil {
		return err
	}
	var bylines []int64
	// A byline that staff typed is theirs as well when it has their name and stands on their posts alone.
	err := s.read(ctx).Raw(`SELECT b.id FROM bylines b WHERE b.user_id = ? OR b.ambassador_id IN (SELECT id FROM ambassadors WHERE user_id = ?)
		OR b.user_id IS NULL AND b.ambassador_id IS NULL AND b.name = ?
			AND EXISTS (SELECT 1 FROM post_bylines pb JOIN posts p ON p.id = pb.post_id WHERE pb.byline_id = b.id AND p.user_id = ?)
			AND NOT EXISTS (SELECT 1 FROM post_bylines pb JOIN posts p ON p.id = pb.post_id WHERE pb.byline_id = b.id AND (p.user_id IS NULL OR p.user_id <> ?))
		ORDER BY b.id`, user.ID, user.ID, user.Name, user.ID, user.ID).Scan(&bylines).Error
	if err != nil {
		return err
	}
	for _, a := range profiles {
		if err := s.removeNamed(ctx, "ambassador", "ambassadors", a.ID); err != nil {
			return err
		}
		if err := s.write(ctx).Where("path = ?", "ambassadors/"+a.Slug+".md").Delete(&ContentFile{}).Error; err != nil {
			return err
		}
	}
	for _, id := range bylines {
		if err := s.eraseByline(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// removeNamed deletes a thing with its old addresses and what the search finds of it.
func (s *Store) removeNamed(ctx context.Context, kind, table string, id int64) error {
	if err := s.write(ctx).Exec("DELETE FROM "+table+" WHERE id = ?", id).Error; err != nil {
		return err
	}
	if err := s.write(ctx).Exec("DELETE FROM slug_history WHERE kind = ? AND object_id = ?", kind, id).Error; err != nil {
		return err
	}
	return s.indexDocument(ctx, SearchKind(kind), id)
}

// eraseByline takes the name off a byline, and deletes one that signs nothing.
func (s *Store) eraseByline(ctx context.Context, id int64) error {
	var posts []int64
	if err := s.read(ctx).Model(&PostByline{}).Where("byline_id = ?", id).Order("post_id").Pluck("post_id", &posts).Error; err != nil {
		return err
	}
	if len(posts) == 0 {
		return s.write(ctx).Where("id = ?", id).Delete(&Byline{}).Error
	}
	free, err := s.freeSlug(ctx, "bylines", "former-author")
	if err != nil {
		return err
	}
	if err := changed(s.write(ctx).Model(&Byline{}).Where("id = ?", id).Updates(map[string]any{
		"slug": free, "name": FormerAuthor, "title": "", "employer": "", "handle": "", "url": "", "bio": "", "user_id": nil, "ambassador_id": nil,
	}), "byline", id); err != nil {
		return err
	}
	for _, post := range posts {
		if err := s.indexDocument(ctx, SearchPost, post); err != nil {
			return err
		}
	}
	return nil
}

var mediaInText = regexp.MustCompile(`/media/([0-9a-z]+\.[a-z]+)`)

// erasePictures deletes what an account uploaded, but the pictures of what stays, from whose credit the name goes.
func (s *Store) erasePictures(ctx context.Context, user User) error {
	var media []Medium
	if err := s.read(ctx).Where("user_id = ?", user.ID).Order("id").Find(&media).Error; err != nil || len(media) == 0 {
		return err
	}
	var shown []int64
	if err := s.read(ctx).Raw(`SELECT cover_id FROM posts WHERE cover_id IS NOT NULL UNION SELECT photo_id FROM ambassadors WHERE photo_id IS NOT NULL`).Scan(&shown).Error; err != nil {
		return err
	}
	var texts []string
	err := s.read(ctx).Raw(`SELECT markdown FROM posts WHERE markdown LIKE '%/media/%' UNION ALL SELECT markdown FROM ambassadors WHERE markdown LIKE '%/media/%'
		UNION ALL SELECT markdown FROM groups WHERE markdown LIKE '%/media/%' UNION ALL SELECT markdown FROM events WHERE markdown LIKE '%/media/%'
		UNION ALL SELECT markdown FROM cohorts WHERE markdown LIKE '%/media/%' UNION ALL SELECT markdown FROM pages WHERE markdown LIKE '%/media/%'`).Scan(&texts).Error
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, text := range texts {
		for _, match := range mediaInText.FindAllStringSubmatch(text, -1) {
			named[match[1]] = true
		}
	}
	for _, m := range media {
		if !slices.Contains(shown, m.ID) && !named[m.Name] {
			if err := s.write(ctx).Where("id = ?", m.ID).Delete(&Medium{}).Error; err != nil {
				return err
			}
			if err := s.removeFile(ctx, FileUpload, m.Name, s.Now(), nil); err != nil {
				return err
			}
			continue
		}
		if strings.Contains(strings.ToLower(m.Credit), strings.ToLower(user.Name)) {
			if err := s.write(ctx).Model(&Medium{}).Where("id = ?", m.ID).Update("credit", "").Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// EraseRegistration takes name and address from the registration that a token opens, once its place is given up or the
// event is over or cancelled. The token opens nothing then. It returns the event, and refuses with ErrNotFound and with
// ErrPlaceHeld.
func (s *Store) EraseRegistration(ctx context.Context, token string) (Event, error) {
	var event Event
	err := s.tx(ctx, func(tx *Store) error {
		r, err := tx.registrationByToken(ctx, token)
		if err != nil {
			return err
		}
		if event, err = tx.lockEvent(ctx, r.EventID); err != nil {
			return err
		}
		if r, err = tx.registrationByToken(ctx, token); err != nil {
			return err
		}
		return tx.eraseOne(ctx, attendee, event, r)
	})
	return event, err
}

// EraseAttendee does the same on a person's request, by who may erase others; to everybody else it is ErrNotFound, and so is
// a registration that is erased.
func (s *Store) EraseAttendee(ctx context.Context, by Viewer, eventID, registrationID int64) error {
	if !by.Can(EraseOthers, Object{}) {
		return fmt.Errorf("%w: registration %d", ErrNotFound, registrationID)
	}
	return s.tx(ctx, func(tx *Store) error {
		event, err := tx.lockEvent(ctx, eventID)
		if err != nil {
			return err
		}
		var r Registration
		err = tx.read(ctx).Where("id = ? AND event_id = ? AND erased_at IS NULL", registrationID, eventID).Take(&r).Error
		if r, err = one(r, err, "registration", strconv.FormatInt(registrationID, 10)); err != nil {
			return err
		}
		return tx.eraseOne(ctx, by, event, r)
	})
}

func (s *Store) eraseOne(ctx context.Context, by Viewer, event Event, r Registration) error {
	if !r.Erasable(event, s.Now()) {
		return ErrPlaceHeld
	}
	// Its mails go with it, and who holds its link may erase it and register again.
	if err := s.countMail(ctx, mailsOfRegistrations, r.EmailKey); err != nil && !errors.Is(err, ErrManyMails) {
		return err
	}
	if err := s.eraseRegistration(ctx, by, r); err != nil {
		return err
	}
	return s.tellOfErasure(ctx, r.Email, event.Title)
}

// Erasable reports whether a registration can lose its name at t: nobody is waited for any more.
func (r Registration) Erasable(event Event, t time.Time) bool {
	return r.ErasedAt == nil && (r.Status == RegistrationCancelled || event.Status == EventCancelled || event.PastAt(t))
}
