package models

import (
	"database/sql/driver"
	"time"

	"github.com/cdfoundation/portal/internal/markdown"
)

// PostStatus is what is stored of a post's state. Scheduled is not stored: it is published with a later time.
type PostStatus string

// The states of a post.
const (
	PostDraft        PostStatus = "draft"
	PostSubmitted    PostStatus = "submitted"
	PostChangesAsked PostStatus = "changes_asked"
	PostPublished    PostStatus = "published"
	PostDeclined     PostStatus = "declined"
	PostWithdrawn    PostStatus = "withdrawn"
)

// Value refuses a state that is not one of ours.
func (s PostStatus) Value() (driver.Value, error) {
	return oneOf("post status", s, PostDraft, PostSubmitted, PostChangesAsked, PostPublished, PostDeclined, PostWithdrawn)
}

// Post is an article of the blog. Markdown, HTML, PlainText, Contents and Words are written together.
type Post struct {
	ID              int64
	UUID            string `gorm:"column:uuid"` // the feed's id, fixed for ever
	Slug            string
	Status          PostStatus
	PublishAt       *time.Time
	ExpireAt        *time.Time
	Title           string
	Excerpt         string // written by hand, may be empty
	Summary         string // what lists show: the excerpt, or one made from the text
	Language        string // BCP 47
	Licence         string // SPDX identifier
	SourceName      string // where it was first published
	SourceAuthor    string
	SourceURL       string `gorm:"column:source_url"`
	SeriesID        *int64
	GroupID         *int64
	IntroducesID    *int64 // the ambassador whom it introduces
	AnnouncesID     *int64 // the event that it announces
	CoverID         *int64
	UserID          *int64 // the account that wrote it, not its byline
	Markdown        string
	HTML            string `gorm:"column:html"`
	PlainText       string
	Contents        List[markdown.Heading]
	Words           int
	RendererVersion int
	Sample          bool
	Version         int64
	ChangedAt       *time.Time // when its text changed after publishing
	CreatedAt       time.Time
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}

// PublicAt reports whether everybody can read the post at t.
func (p Post) PublicAt(t time.Time) bool {
	return p.Status == PostPublished && p.PublishAt != nil && !t.Before(*p.PublishAt) && (p.ExpireAt == nil || t.Before(*p.ExpireAt))
}

// publicPosts is the one condition under which posts are public, for a table called p. It takes the time twice.
const publicPosts = "p.status = 'published' AND p.publish_at <= ? AND (p.expire_at IS NULL OR p.expire_at > ?)"

// Byline is an author as printed, perhaps a user, perhaps an ambassador.
type Byline struct {
	ID           int64
	Slug         string
	Name         string
	Title        string
	Employer     string
	Handle       string // on Twitter, without @
	URL          string `gorm:"column:url"`
	Bio          string
	UserID       *int64
	AmbassadorID *int64
}

// PostByline puts a byline on a post.
type PostByline struct {
	PostID   int64 `gorm:"primaryKey;autoIncrement:false"`
	BylineID int64 `gorm:"primaryKey;autoIncrement:false"`
	Position int
}

// Category is one of the blog's few sections.
type Category struct {
	ID   int64
	Slug string
	Name string
}

// PostCategory puts a post into a category.
type PostCategory struct {
	PostID     int64 `gorm:"primaryKey;autoIncrement:false"`
	CategoryID int64 `gorm:"primaryKey;autoIncrement:false"`
	Position   int
}

// Tag is a topic of posts.
type Tag struct {
	ID   int64
	Slug string
	Name string
}

// PostTag puts a tag on a post.
type PostTag struct {
	PostID   int64 `gorm:"primaryKey;autoIncrement:false"`
	TagID    int64 `gorm:"primaryKey;autoIncrement:false"`
	Position int
}

// PostSeries is a run of posts under one title.
type PostSeries struct {
	ID    int64
	Slug  string
	Title string
}

// TableName is post_series: the word has no other plural.
func (PostSeries) TableName() string { return "post_series" }

// Revision is a post's text as somebody saved it.
type Revision struct {
	ID        int64
	PostID    int64
	UserID    *int64
	Title     string
	Excerpt   string
	Markdown  string
	CreatedAt time.Time
}

// Review is a step on a post's way to being published, with the words that came with it.
type Review struct {
	ID        int64
	PostID    int64
	UserID    *int64
	Status    PostStatus // the state that the step led to
	Comment   string
	CreatedAt time.Time
}
