package handlers

import (
	"time"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// eventData is an event as schema.org's Event.
type eventData struct {
	Context     string      `json:"@context"`
	Type        string      `json:"@type"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	URL         string      `json:"url"`
	Image       []string    `json:"image"`
	Start       string      `json:"startDate"`
	End         string      `json:"endDate,omitempty"`
	Mode        string      `json:"eventAttendanceMode"`
	Status      string      `json:"eventStatus"`
	Language    string      `json:"inLanguage"`
	Location    []any       `json:"location"`
	Organizer   []partyData `json:"organizer,omitempty"`
	Performer   []partyData `json:"performer,omitempty"`
	Offers      *offerData  `json:"offers,omitempty"`
}

type partyData struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type placeData struct {
	Type    string      `json:"@type"`
	Name    string      `json:"name,omitempty"`
	Address addressData `json:"address"`
	Geo     *geoData    `json:"geo,omitempty"`
}

type addressData struct {
	Type     string `json:"@type"`
	Street   string `json:"streetAddress,omitempty"`
	Locality string `json:"addressLocality,omitempty"`
	Country  string `json:"addressCountry,omitempty"`
}

type virtualData struct {
	Type string `json:"@type"`
	URL  string `json:"url"`
}

type offerData struct {
	Type         string `json:"@type"`
	URL          string `json:"url"`
	Price        string `json:"price"`
	Currency     string `json:"priceCurrency"`
	Availability string `json:"availability"`
	From         string `json:"validFrom,omitempty"`
}

// newEventData says of an event what machines ask, never more than its page does: the online location is the page itself.
func newEventData(d models.EventDetail, site links.Site, now time.Time) eventData {
	e := d.Event
	const schema = "https://schema.org/"
	path := links.Event(e.Slug)
	data := eventData{
		Context: "https://schema.org", Type: "Event", Name: e.Title, Description: e.Summary, URL: site.Abs(path),
		Image: []string{site.Abs(links.Share(path))}, Start: machineDate(e), Language: e.Language,
		Status: schema + "EventScheduled", Mode: schema + "OfflineEventAttendanceMode",
	}
	if e.Status == models.EventCancelled {
		data.Status = schema + "EventCancelled"
	}
	switch e.DatePrecision {
	case models.PrecisionMinute:
		data.End = e.LocalEnd().Format(time.RFC3339)
	case models.PrecisionDay:
		data.End = e.LastDay().Format(time.DateOnly)
	case models.PrecisionStart, models.PrecisionMonth:
	}
	virtual := virtualData{Type: "VirtualLocation", URL: site.Abs(path)}
	place := placeData{Type: "Place", Name: e.VenueName, Address: addressData{
		Type: "PostalAddress", Street: e.VenueAddress, Locality: e.VenueCity, Country: e.VenueCountry,
	}}
	if place.Name == "" {
		place.Name = e.VenueCity
	}
	switch e.Mode {
	case models.ModeOnline:
		data.Mode, data.Location = schema+"OnlineEventAttendanceMode", []any{virtual}
	case models.ModeHybrid:
		data.Mode, data.Location = schema+"MixedEventAttendanceMode", []any{place, virtual}
	case models.ModeInPerson:
		data.Location = []any{place}
	}
	if d.GroupSlug != "" {
		data.Organizer = append(data.Organizer, partyData{"Organization", d.GroupName, site.Abs(links.Group(d.GroupSlug))})
	}
	for _, host := range e.Hosts {
		data.Organizer = append(data.Organizer, partyData{Type: "Organization", Name: host})
	}
	for _, s := range d.Speakers {
		data.Performer = append(data.Performer, partyData{"Person", s.Name, s.URL})
	}
	if e.Registration == models.RegistrationPortal && e.Status == models.EventPublished && !e.PastAt(now) {
		offer := &offerData{Type: "Offer", URL: site.Abs(links.Register(e.Slug)), Price: "0", Currency: "USD", Availability: schema + "InStock"}
		if left, limited := models.SeatsLeft(d.Tickets); limited && left == 0 {
			offer.Availability = schema + "SoldOut"
		}
		if e.OpensAt != nil {
			offer.From = e.OpensAt.UTC().Format(time.RFC3339)
		}
		data.Offers = offer
	}
	return data
}
