package handlers

import "github.com/cdfoundation/portal/models"

const schemaOrg = "https://schema.org"

// personLD is a schema.org Person.
type personLD struct {
	Context       string          `json:"@context,omitempty"`
	Type          string          `json:"@type"`
	ID            string          `json:"@id,omitempty"`
	Name          string          `json:"name"`
	URL           string          `json:"url,omitempty"`
	Description   string          `json:"description,omitempty"`
	Image         string          `json:"image,omitempty"`
	JobTitle      string          `json:"jobTitle,omitempty"`
	WorksFor      *organizationLD `json:"worksFor,omitempty"`
	HomeLocation  *placeLD        `json:"homeLocation,omitempty"`
	KnowsAbout    []string        `json:"knowsAbout,omitempty"`
	KnowsLanguage []string        `json:"knowsLanguage,omitempty"` // BCP 47
	SameAs        []string        `json:"sameAs,omitempty"`
}

// organizationLD is a schema.org Organization.
type organizationLD struct {
	Context       string          `json:"@context,omitempty"`
	Type          string          `json:"@type"`
	ID            string          `json:"@id,omitempty"`
	Name          string          `json:"name"`
	AlternateName string          `json:"alternateName,omitempty"`
	URL           string          `json:"url,omitempty"`
	Description   string          `json:"description,omitempty"`
	Logo          string          `json:"logo,omitempty"`
	FoundingDate  string          `json:"foundingDate,omitempty"` // YYYY-MM-DD
	Location      *placeLD        `json:"location,omitempty"`
	Parent        *organizationLD `json:"parentOrganization,omitempty"`
	Members       []personLD      `json:"member,omitempty"`
	SameAs        []string        `json:"sameAs,omitempty"`
}

// placeLD is a schema.org Place with an address.
type placeLD struct {
	Type    string    `json:"@type"`
	Address addressLD `json:"address"`
	Geo     *geoLD    `json:"geo,omitempty"`
}

type addressLD struct {
	Type     string `json:"@type"`
	Locality string `json:"addressLocality,omitempty"`
	Country  string `json:"addressCountry,omitempty"` // ISO 3166-1 alpha-2
}

type geoLD struct {
	Type      string  `json:"@type"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// websiteLD is a schema.org WebSite with its search.
type websiteLD struct {
	Context   string         `json:"@context"`
	Type      string         `json:"@type"`
	ID        string         `json:"@id"`
	Name      string         `json:"name"`
	URL       string         `json:"url"`
	Language  string         `json:"inLanguage"`
	Publisher organizationLD `json:"publisher"`
	Search    searchLD       `json:"potentialAction"`
}

type searchLD struct {
	Type   string `json:"@type"`
	Target string `json:"target"` // with {q} for what is looked for
	Input  string `json:"query-input"`
}

func newPlaceLD(city, country string) *placeLD {
	return &placeLD{Type: "Place", Address: addressLD{Type: "PostalAddress", Locality: city, Country: country}}
}

// foundation is the Continuous Delivery Foundation as other things refer to it.
func (a *App) foundation() organizationLD {
	return organizationLD{Type: "Organization", ID: a.Site.Abs("/#foundation"), Name: "Continuous Delivery Foundation"}
}

// newGroupLD describes a meetup group.
func (a *App) newGroupLD(g models.Group, address, description string, organisers []models.OrganiserRow) organizationLD {
	foundation := a.foundation()
	place := newPlaceLD(g.City, g.Country)
	place.Geo = &geoLD{Type: "GeoCoordinates", Latitude: g.Latitude, Longitude: g.Longitude}
	group := organizationLD{
		Context: schemaOrg, Type: "Organization", ID: address, Name: g.Name, URL: address, Description: description, Location: place, Parent: &foundation,
	}
	for _, o := range organisers {
		group.Members = append(group.Members, personLD{Type: "Person", Name: o.Name})
	}
	for _, l := range g.Links {
		group.SameAs = append(group.SameAs, l.URL)
	}
	return group
}
