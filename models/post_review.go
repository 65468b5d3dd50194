package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxComment is the most characters of the words that come with a step of a review.
const maxComment = 5000

// Submit hands a draft to staff for review and tells them by mail. It refuses with ErrNotFound, with ErrTransition from
// another state than draft and changes asked, and with ErrInvalid a post without text.
func (s *Store) Submit(ctx context.Context, by Viewer, id int64, comment string) error {
	return s.step(ctx, by, id, 0, postStep{
		action: EditPost, from: []PostStatus{PostDraft, PostChangesAsked}, to: PostSubmitted, audit: "post.submit", comment: comment,
		check: func(p Post) error {
			if strings.TrimSpace(p.Markdown) == "" {
				return fmt.Errorf("%w: a post without text", ErrInvalid)
			}
			return nil
		},
	})
}

// Publish makes a post public at a moment; what is not to come is now. A post that was public and is to be at once keeps the
// time at which it first was. version is the one that was reviewed: a later one is ErrStale. It refuses with ErrNotFound and ErrTransition.
func (s *Store) Publish(ctx context.Context, by Viewer, id, version int64, at time.Time, comment string) error {
	audit := "post.publish"
	if at.After(s.Now()) {
		audit = "post.schedule"
	}
	return s.step(ctx, by, id, version, postStep{
		action: ReviewPosts, from: []PostStatus{PostDraft, PostSubmitted, PostChangesAsked, PostPublished, PostWithdrawn},
		to: PostPublished, audit: audit, comment: comment,
		check: func(p Post) error {
			if p.PublicAt(s.Now()) {
				return ErrTransition
			}
			if strings.TrimSpace(p.Markdown) == "" {
				return fmt.Errorf("%w: a post without text", ErrInvalid)
			}
			return nil
		},
		change: func(p Post, now time.Time) map[string]any {
			switch {
			case at.After(now):
				return map[string]any{"publish_at": at.UTC()}
			case p.PublishAt != nil && !p.PublishAt.After(now):
				return nil
			}
			return map[string]any{"publish_at": now}
		},
	})
}

// SendBack asks the author for changes, with words that say which. It refuses with ErrNotFound, ErrTransition when the
// post is not submitted, and ErrInvalid without words.
func (s *Store) SendBack(ctx context.Context, by Viewer, id int64, comment string) error {
	return s.step(ctx, by, id, 0, postStep{
		action: ReviewPosts, from: []PostStatus{PostSubmitted}, to: PostChangesAsked, audit: "post.send_back", comment: comment, words: true,
	})
}

// Decline ends the way of a submitted post, with words that say why. It refuses as SendBack does.
func (s *Store) Decline(ctx context.Context, by Viewer, id int64, comment string) error {
	return s.step(ctx, by, id, 0, postStep{
		action: ReviewPosts, from: []PostStatus{PostSubmitted}, to: PostDeclined, audit: "post.decline", comment: comment, words: true,
	})
}

// Withdraw takes a published post away: its address then answers that it is gone. One whose time has not come was
// never public and becomes a draft again. It refuses with ErrNotFound and ErrTransition.
func (s *Store) Withdraw(ctx context.Context, by Viewer, id int64, comment string) error {
	step := postStep{action: ReviewPosts, from: []PostStatus{PostPublished}, to: PostWithdrawn, audit: "post.withdraw", comment: comment}
	step.change = func(p Post, now time.Time) map[string]any {
		if p.PublishAt.After(now) {
			return map[string]any{"status": PostDraft, "publish_at": nil}
		}
		return nil
	}
	return s.step(ctx, by, id, 0, step)
}

// postStep is one move on a post's way.
type postStep struct {
	action  Action
	from    []PostStatus
	to      PostStatus
	audit   string
	comment string
	words   bool // the comment must say something
	check   func(Post) error
	change  func(p Post, now time.Time) map[string]any // beside the status, which it may set as well
}

// step makes a move in one transaction: the state, the review that remembers it, the mails that tell of it. The version
// is compared unless it is 0.
func (s *Store) step(ctx context.Context, by Viewer, id, version int64, step postStep) error {
	step.comment = strings.TrimSpace(step.comment)
	if tooLong(step.comment, maxComment) || step.words && step.comment == "" {
		return fmt.Errorf("%w: comment", ErrInvalid)
	}
	return s.tx(ctx, func(tx *Store) error {
		p, err := tx.deskPost(ctx, by, id, tx.forUpdate())
		if err != nil {
			return err
		}
		if !by.Can(step.action, p.object()) {
			return fmt.Errorf("%w: post %d", ErrNotFound, id)
		}
		if !slices.Contains(step.from, p.Status) {
			return ErrTransition
		}
		if version != 0 && version != p.Version {
			return ErrStale
		}
		if step.check != nil {
			if err := step.check(p); err != nil {
				return err
			}
		}
		columns := map[string]any{"status": step.to}
		if step.change != nil {
			maps.Copy(columns, step.change(p, tx.Now()))
		}
		if err := tx.updateVersion(ctx, "posts", id, p.Version, columns); err != nil {
			return err
		}
		to, _ := columns["status"].(PostStatus)
		review := Review{PostID: id, UserID: reference(by.UserID), Status: to, Comment: step.comment, CreatedAt: tx.Now()}
		if err := tx.write(ctx).Create(&review).Error; err != nil {
			return err
		}
		if err := tx.tellOfReview(ctx, by, p, review); err != nil {
			return err
		}
		if err := tx.indexDocument(ctx, SearchPost, id); err != nil {
			return err
		}
		return tx.audit(ctx, by, step.audit, "posts", id, string(p.Status), string(to))
	})
}

// tellOfReview mails staff that a post waits, or its author what was decided; nobody is told of their own doing.
func (s *Store) tellOfReview(ctx context.Context, by Viewer, p Post, review Review) error {
	var users []User
	kind := MailPostReviewed
	query := s.read(ctx).Where("id <> ? AND email <> ?", by.UserID, firstAdminEmail)
	switch review.Status {
	case PostSubmitted:
		kind = MailPostSubmitted
		query = query.Where("role IN ?", []Role{RoleStaff, RoleAdmin})
	case PostPublished, PostChangesAsked, PostDeclined:
		query = query.Where("id = ?", p.UserID)
	case PostDraft, PostWithdrawn:
		return nil
	}
	if err := query.Order("id").Find(&users).Error; err != nil {
		return err
	}
	for _, user := range users {
		if err := s.enqueue(ctx, Mail{
			Kind: kind, DedupeKey: fmt.Sprintf("%s/%d/%d", kind, review.ID, user.ID), Recipient: user.Email, RecipientName: user.Name,
			UserID: &user.ID, PostID: &p.ID, ReviewID: &review.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}
