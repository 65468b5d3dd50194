package models

import "slices"

// Action is something that not everybody may do.
type Action string

// The actions.
const (
	UseDesk         Action = "use the desk"
	WritePosts      Action = "write posts"
	EditPost        Action = "edit, submit or withdraw a post"
	ReviewPosts     Action = "review, publish and send back posts"
	EditProfile     Action = "edit an ambassador's profile"
	CreateEvent     Action = "create an event for a group"
	EditEvent       Action = "edit, publish or cancel an event"
	SeeAttendees    Action = "see and export an event's attendees"
	EditGroup       Action = "edit a group"
	ManageGroups    Action = "create and delist groups and name their organisers"
	ManagePeople    Action = "make accounts and give the roles attendee and ambassador"
	ManageSite      Action = "give every role, read kept mail and settings"
	ReadAudit       Action = "read the audit log"
	EraseOthers     Action = "erase another's account or registration"
	SeeRegistration Action = "see and cancel a registration"
)

// Object is what an action is done to, as far as that decides who may.
type Object struct {
	UserID       int64  // whose it is
	GroupID      int64  // the group that it belongs to
	AmbassadorID int64  // whose profile it is
	EmailKey     string // whose registration it is
}

// Can is the one place that decides who may do what.
func (v Viewer) Can(action Action, on Object) bool {
	if !v.SignedIn() {
		return false
	}
	admin := v.Role == RoleAdmin && !v.NeedsFactor
	staff := v.Role == RoleStaff && !v.NeedsFactor || admin
	ambassador := v.Role == RoleAmbassador
	organises := on.GroupID != 0 && slices.Contains(v.GroupIDs, on.GroupID)
	owns := on.UserID != 0 && on.UserID == v.UserID
	switch action {
	case UseDesk, WritePosts:
		return staff || ambassador || len(v.GroupIDs) > 0
	case EditPost:
		return staff || owns && (ambassador || len(v.GroupIDs) > 0) || organises
	case ReviewPosts, ManageGroups, ManagePeople, ReadAudit:
		return staff
	case EditProfile:
		return staff || on.AmbassadorID != 0 && on.AmbassadorID == v.AmbassadorID
	case CreateEvent, EditEvent, SeeAttendees, EditGroup:
		return staff || organises
	case ManageSite, EraseOthers:
		return admin
	case SeeRegistration:
		return on.EmailKey != "" && on.EmailKey == EmailKey(v.Email)
	}
	return false
}
