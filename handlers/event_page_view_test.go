package handlers

import (
	"testing"

	"github.com/cdfoundation/portal/models"
)

func TestNobodyInvitesToACancelledEvent(t *testing.T) {
	d := models.EventDetail{Inviters: []models.EventPerson{{Name: "Helen Example"}}}
	if got := invitation(d); got != "Helen Example invites you to" {
		t.Errorf("before: %q", got)
	}
	d.Status = models.EventCancelled
	if got := invitation(d); got != "" {
		t.Errorf("cancelled: %q", got)
	}
}
