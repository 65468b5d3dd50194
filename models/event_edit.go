package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/slug"
)

// DeskEvent is an event with all that its editor shows.
type DeskEvent struct {
	EventDetail
	Quotas       []Quota
	Holders      map[int64]int // of each ticket type by id: registrations, cancelled ones among them
	Cancellation *EventCancellation
}

// organisedBy is what decides who may edit an event.
func (e Event) organisedBy() Object {
	if e.GroupID == nil {
		return Object{}
	}
	return Object{GroupID: *e.GroupID}
}

// DeskEvent finds an event that the viewer may edit. Any other is ErrNotFound.
func (s *Store) DeskEvent(ctx context.Context, by Viewer, id int64) (DeskEvent, error) {
	var d DeskEvent
	detail, err := s.eventDetail(ctx, id)
	if err != nil {
		return d, err
	}
	if !by.Can(EditEvent, detail.organisedBy()) {
		return d, fmt.Errorf("%w: event %d", ErrNotFound, id)
	}
	d.EventDetail, d.Holders = detail, map[int64]int{}
	if err := s.read(ctx).Where("event_id = ?", id).Order("id").Find(&d.Quotas).Error; err != nil {
		return d, translate(err)
	}
	var holders []struct {
		ID int64
		N  int
	}
	err = s.read(ctx).Raw(`SELECT t.id, count(*) AS n FROM ticket_types t JOIN registration_tickets r ON r.ticket_type_id = t.id
		WHERE t.event_id = ? GROUP BY t.id`, id).Scan(&holders).Error
	if err != nil {
		return d, translate(err)
	}
	for _, h := range holders {
		d.Holders[h.ID] = h.N
	}
	if d.Status == EventCancelled {
		d.Cancellation = &EventCancellation{}
		err = s.read(ctx).Where("event_id = ?", id).Take(d.Cancellation).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			d.Cancellation, err = nil, nil
		}
	}
	return d, translate(err)
}

// RecipientsOf counts whom a change or a cancelling of an event would be mailed to: the confirmed registrations of a
// published event that is not over.
func (s *Store) RecipientsOf(ctx context.Context, by Viewer, id int64) (int, error) {
	var event Event
	err := s.read(ctx).Where("id = ?", id).Take(&event).Error
	if event, err = one(event, err, "event", strconv.FormatInt(id, 10)); err != nil {
		return 0, err
	}
	if !by.Can(EditEvent, event.organisedBy()) {
		return 0, fmt.Errorf("%w: event %d", ErrNotFound, id)
	}
	if event.Status != EventPublished || event.PastAt(s.Now()) {
		return 0, nil
	}
	var n int64
	err = s.read(ctx).Raw("SELECT count(*) FROM registrations WHERE event_id = ? AND status = 'confirmed'", id).Scan(&n).Error
	return int(n), translate(err)
}

// CreateEvent makes a draft. host stands in the event's identifier for good. It refuses with FieldErrors, ErrSlugTaken,
// and ErrNotFound for a group that is not the viewer's.
func (s *Store) CreateEvent(ctx context.Context, by Viewer, in EventInput, host string) (Event, error) {
	in, wrong := in.checked()
	if len(wrong) > 0 {
		return Event{}, wrong
	}
	var event Event
	err := s.tx(ctx, func(tx *Store) error {
		event = Event{
			UID: uuid.NewString() + "@" + host, Status: EventDraft, CreatedBy: &by.UserID, Version: 1,
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		if err := tx.fillEvent(ctx, by, &event, in); err != nil {
			return err
		}
		if err := tx.write(ctx).Create(&event).Error; err != nil {
			return slugTaken(err)
		}
		if err := tx.putParts(ctx, event, in); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchEvent, event.ID); err != nil {
			return err
		}
		return tx.audit(ctx, by, "event.create", "events", event.ID, "", event.Slug)
	})
	return event, err
}

// UpdateEvent saves an edit that began with the version given. A change of time, zone, place or mode of a published
// event raises its SEQUENCE and is mailed to everybody registered; told is how many that are. Other edits send nothing.
// It refuses with FieldErrors, ErrNotFound, ErrStale, ErrEventCancelled, ErrSlugTaken, *BelowTakenError and
// *TicketHeldError.
func (s *Store) UpdateEvent(ctx context.Context, by Viewer, id, version int64, in EventInput) (told int, err error) {
	in, wrong := in.checked()
	err = s.tx(ctx, func(tx *Store) error {
		old, err := tx.editable(ctx, by, id)
		if err != nil {
			return err
		}
		switch {
		case old.Version != version:
			return ErrStale
		case old.Status == EventCancelled:
			return ErrEventCancelled
		case len(wrong) > 0:
			return wrong
		}
		event := old
		if err := tx.fillEvent(ctx, by, &event, in); err != nil {
			return err
		}
		event.Version, event.UpdatedAt = version+1, tx.Now()
		moved := event.Status == EventPublished && event.movedFrom(old)
		if moved {
			event.Sequence++
		}
		if err := slugTaken(put(tx.write(ctx), contentUpdated, &event, eventStated, plainText, []string{"Slug"})); err != nil {
			return err
		}
		if event.Slug != old.Slug {
			if err := tx.moveSlug(ctx, "event", id, old.Slug, event.Slug, old.PublishedAt != nil); err != nil {
				return err
			}
		}
		if err := tx.putParts(ctx, event, in); err != nil {
			return err
		}
		if moved && !event.PastAt(tx.Now()) {
			if told, err = tx.tellRegistered(ctx, MailEventChanged, event, old.planText()); err != nil {
				return err
			}
		}
		if err := tx.indexDocument(ctx, SearchEvent, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "event.save", "events", id, old.auditText(), event.auditText())
	})
	if err != nil {
		return 0, err
	}
	return told, nil
}

// planText is when and where, in a line.
func (e Event) planText() string {
	when := e.DateText()
	if hours := e.TimeText(); hours != "" {
		when += ", " + hours
	}
	return when + "; " + e.WhereText()
}

// auditText is what the audit log keeps of an event: what people plan by.
func (e Event) auditText() string {
	return fmt.Sprintf("%s; %s; %s to %s %s; %s; %s", e.Status, e.Slug, e.StartsLocal, e.EndsLocal, e.Timezone, e.Mode, e.AddressText())
}

// editable reads an event that the viewer may edit and locks it until the transaction ends.
func (s *Store) editable(ctx context.Context, by Viewer, id int64) (Event, error) {
	event, err := s.lockEvent(ctx, id)
	if err == nil && !by.Can(EditEvent, event.organisedBy()) {
		return Event{}, fmt.Errorf("%w: event %d", ErrNotFound, id)
	}
	return event, err
}

// fillEvent puts checked input into an event.
func (s *Store) fillEvent(ctx context.Context, by Viewer, e *Event, in EventInput) error {
	if e.ID == 0 || e.organisedBy().GroupID != in.GroupID {
		if !by.Can(CreateEvent, Object{GroupID: in.GroupID}) {
			return fmt.Errorf("%w: group %d", ErrNotFound, in.GroupID)
		}
		e.GroupID = nil
		if in.GroupID != 0 {
			var n int64
			if err := s.read(ctx).Model(&Group{}).Where("id = ?", in.GroupID).Count(&n).Error; err != nil {
				return err
			}
			if n == 0 {
				return fmt.Errorf("%w: group %d", ErrNotFound, in.GroupID)
			}
			e.GroupID = &in.GroupID
		}
	}
	e.Kind, e.Mode, e.Title, e.Summary, e.Language, e.TextLanguage = in.Kind, in.Mode, in.Title, in.Summary, in.Language, in.TextLanguage
	e.Timezone, e.DatePrecision = in.Timezone, in.DatePrecision
	var err error
	if e.StartsAt, e.StartsLocal, err = wallMoment(in.StartsLocal, in.Timezone); err != nil {
		return err
	}
	if e.EndsAt, e.EndsLocal, err = wallMoment(in.EndsLocal, in.Timezone); err != nil {
		return err
	}
	if e.OpensAt, err = optionalMoment(in.OpensLocal, in.Timezone); err != nil {
		return err
	}
	if e.ClosesAt, err = optionalMoment(in.ClosesLocal, in.Timezone); err != nil {
		return err
	}
	e.Hosts, e.Links = full(in.Hosts), full(in.Links)
	e.VenueName, e.VenueAddress, e.VenueCity, e.VenueCountry = in.VenueName, in.VenueAddress, in.VenueCity, in.VenueCountry
	e.OnlineLink, e.OnlinePlace = in.OnlineLink, in.OnlinePlace
	e.Registration, e.RegistrationURL, e.RegistrationNote, e.Choose = in.Registration, in.RegistrationURL, in.RegistrationNote, in.Choose
	if e.Slug, err = s.editedSlug(ctx, "event", e.ID, e.Slug, in.Slug, in.Title); err != nil {
		return err
	}
	rendered, err := s.render(ctx, in.Markdown, "")
	if errors.Is(err, ErrInvalid) {
		return FieldErrors{{"body", "Shorten the text: it is more than a page can show"}}
	}
	if err != nil {
		return err
	}
	e.setText(in.Markdown, rendered)
	return nil
}

// wallMoment is the moment of a wall time, and that moment as the zone's clocks show it.
func wallMoment(local, timezone string) (time.Time, string, error) {
	at, err := LocalTime(local, timezone)
	if err != nil {
		return at, "", err
	}
	return at, at.In(Event{Timezone: timezone}.Location()).Format(LocalLayout), nil
}

func optionalMoment(local, timezone string) (*time.Time, error) {
	if local == "" {
		return nil, nil //nolint:nilnil // no time is what was asked for
	}
	at, err := LocalTime(local, timezone)
	return &at, err
}

// editedSlug is the slug that a thing shall have: the wanted one, else the one that it has, else one made of its title.
// One that leads or once led to another thing is ErrSlugTaken.
func (s *Store) editedSlug(ctx context.Context, kind string, id int64, current, wanted, title string) (string, error) {
	switch {
	case wanted == "" && current == "":
		made := slug.Make(title)
		if made == "" {
			made = kind
		}
		return s.freeSlug(ctx, kind+"s", made)
	case wanted == "" || wanted == current:
		return current, nil
	}
	if err := slug.Valid(wanted); err != nil {
		return "", FieldErrors{{"slug", "Choose another address: " + wanted + " " + err.Error()}}
	}
	var taken int64
	err := s.read(ctx).Raw("SELECT (SELECT count(*) FROM "+kind+"s WHERE slug = ? AND id <> ?) + (SELECT count(*) FROM slug_history WHERE kind = ? AND slug = ? AND object_id <> ?)",
		wanted, id, kind, wanted, id).Scan(&taken).Error
	if err == nil && taken > 0 {
		err = ErrSlugTaken
	}
	return wanted, err
}

// slugTaken says of a unique index that was hit what it means: another thing was faster.
func slugTaken(err error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return ErrSlugTaken
	}
	return err
}

// putParts writes what belongs to an event beside its row.
func (s *Store) putParts(ctx context.Context, event Event, in EventInput) error {
	if err := s.putProgramme(ctx, event.ID, in.Speakers, in.Agenda, in.Sponsors); err != nil {
		return err
	}
	set := ticketSet{quotas: in.Quotas}
	for _, t := range in.Tickets {
		set.add(TicketType{ID: t.ID, Name: t.Name, Description: t.Description}, t.Quotas)
	}
	if err := s.putTickets(ctx, event.ID, set, false); err != nil {
		return err
	}
	return s.needTicket(ctx, event)
}

// tellRegistered writes a mail to everybody with a confirmed registration, in one statement however many they are. The
// event's SEQUENCE is in the mails' keys, so that each change is told once; note is what else they are to tell.
func (s *Store) tellRegistered(ctx context.Context, kind MailKind, event Event, note string) (int, error) {
	result := s.write(ctx).Exec(`INSERT INTO mails (kind, dedupe_key, recipient, recipient_name, registration_id, event_id, note, next_at, created_at)
		SELECT CAST(? AS text), CAST(? AS text) || r.id || CAST(? AS text), r.email, r.name, r.id, r.event_id, CAST(? AS text), e.updated_at, e.updated_at
		FROM registrations r JOIN events e ON e.id = r.event_id
		WHERE r.event_id = ? AND r.status = 'confirmed' AND r.erased_at IS NULL ORDER BY r.id ON CONFLICT DO NOTHING`,
		kind, string(kind)+"/registration/", "/"+strconv.Itoa(event.Sequence), note, event.ID)
	return int(result.RowsAffected), result.Error
}

// PublishEvent makes a draft public. It sends no mail: nobody can be registered yet. Anything but a draft is
// ErrTransition.
func (s *Store) PublishEvent(ctx context.Context, by Viewer, id int64) error {
	return s.tx(ctx, func(tx *Store) error {
		event, err := tx.editable(ctx, by, id)
		if err != nil {
			return err
		}
		if event.Status != EventDraft {
			return ErrTransition
		}
		now := tx.Now()
		event.Status, event.PublishedAt, event.Version, event.UpdatedAt = EventPublished, &now, event.Version+1, now
		if err := put(tx.write(ctx), contentUpdated, &event, []string{"Status", "PublishedAt", "Version", "UpdatedAt"}); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchEvent, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "event.publish", "events", id, string(EventDraft), event.auditText())
	})
}

// CancelEvent cancels a published event for good and mails everybody registered; told is how many that are. It refuses
// with FieldErrors for a missing reason, ErrNotFound, ErrTransition for what is not published and ErrEventPast.
func (s *Store) CancelEvent(ctx context.Context, by Viewer, id int64, reason string) (told int, err error) {
	reason = oneLine(reason)
	err = s.tx(ctx, func(tx *Store) error {
		event, err := tx.editable(ctx, by, id)
		if err != nil {
			return err
		}
		switch {
		case event.Status != EventPublished:
			return ErrTransition
		case event.PastAt(tx.Now()):
			return ErrEventPast
		case reason == "":
			return FieldErrors{{"reason", "Say why: everybody registered will read it"}}
		case tooLong(reason, maxLine):
			return FieldErrors{{"reason", fmt.Sprintf("Shorten the reason to %d characters", maxLine)}}
		}
		event.Status, event.Sequence, event.Version, event.UpdatedAt = EventCancelled, event.Sequence+1, event.Version+1, tx.Now()
		if err := put(tx.write(ctx), contentUpdated, &event, []string{"Status", "Sequence", "Version", "UpdatedAt"}); err != nil {
			return err
		}
		if err := tx.write(ctx).Create(&EventCancellation{EventID: id, UserID: &by.UserID, Reason: reason, CreatedAt: tx.Now()}).Error; err != nil {
			return err
		}
		if told, err = tx.tellRegistered(ctx, MailEventCancelled, event, ""); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchEvent, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, "event.cancel", "events", id, string(EventPublished), reason)
	})
	if err != nil {
		return 0, err
	}
	return told, nil
}

// WallTime tells how often a wall time comes on the day of a change of clocks.
type WallTime int

// The kinds of wall times.
const (
	WallOnce    WallTime = iota // as nearly always
	WallSkipped                 // never: the clocks go forward over it
	WallTwice                   // the clocks go back over it
)

// WallTimeOf tells how often a wall time, LocalLayout, comes in a zone. Errors wrap ErrInvalid.
func WallTimeOf(local, timezone string) (WallTime, error) {
	at, err := LocalTime(local, timezone)
	if err != nil {
		return WallOnce, err
	}
	zone := Event{Timezone: timezone}.Location()
	if at.In(zone).Format(LocalLayout) != local {
		return WallSkipped, nil
	}
	_, before := at.Add(-24 * time.Hour).In(zone).Zone()
	_, after := at.Add(24 * time.Hour).In(zone).Zone()
	again := at.Add(time.Duration(before-after) * time.Second)
	if again.After(at) && again.In(zone).Format(LocalLayout) == local {
		return WallTwice, nil
	}
	return WallOnce, nil
}
