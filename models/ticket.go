package models

// Quota is a number of seats that tickets draw on.
type Quota struct {
	ID      int64
	EventID int64
	Slug    string
	Name    string
	Size    *int // nil: without limit
	Held    int  // places that the organiser keeps back
	Taken   int  // by living registrations, kept in the same transaction as they
}

// Left is how many seats are free; limited is false when there is no limit.
func (q Quota) Left() (left int, limited bool) {
	if q.Size == nil {
		return 0, false
	}
	return max(0, *q.Size-q.Held-q.Taken), true
}

// TicketType is what people register for. It draws one seat from each of its quotas; a person with several tickets
// takes one seat of a quota that they share.
type TicketType struct {
	ID          int64
	EventID     int64
	Slug        string
	Name        string
	Description string
	Position    int
}

// TicketTypeQuota says which ticket draws on which quota.
type TicketTypeQuota struct {
	TicketTypeID int64 `gorm:"primaryKey;autoIncrement:false"`
	QuotaID      int64 `gorm:"primaryKey;autoIncrement:false"`
}
