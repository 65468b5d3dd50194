package handlers

import "github.com/cdfoundation/portal/models"

const schemaOrg = "https://schema.org"

// personData is a schema.org Person.
type personData struct {
	Context       string            `json:"@context,omitempty"`
	Type          string            `json:"@type"`
	ID            string            `json:"@id,omitempty"`
	Name          string            `json:"name"`
	URL           string            `json:"url,omitempty"`
	Description   string            `json:"description,omitempty"`
	Image         string            `json:"image,omitempty"`
	JobTitle      string            `json:"jobTitle,omitempty"`
	WorksFor      *organizationData `json:"worksFor,omitempty"`
	HomeLocation  *placeData        `json:"homeLocation,omitempty"`
	KnowsAbout    []string          `json:"knowsAbout,omitempty"`
	KnowsLanguage []string          `json:"knowsLanguage,omitempty"` // BCP 47
	SameAs        []string          `json:"sameAs,omitempty"`
}

// organizationData is a schema.org Organization.
type organizationData struct {
	Context       string            `json:"@context,omitempty"`
	Type          string            `json:"@type"`
	ID            string            `json:"@id,omitempty"`
	Name          string            `json:"name"`
	AlternateName string            `json:"alternateName,omitempty"`
	URL           string            `json:"url,omitempty"`
	Description   string            `json:"description,omitempty"`
	Logo          string            `json:"logo,omitempty"`
	FoundingDate  string            `json:"foundingDate,omitempty"` // YYYY-MM-DD
	Location      *placeData        `json:"location,omitempty"`
	Parent        *organizationData `json:"parentOrganization,omitempty"`
	Members       []personData      `json:"member,omitempty"`
	SameAs        []string          `json:"sameAs,omitempty"`
}

type geoData struct {
	Type      string  `json:"@type"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// websiteData is a schema.org WebSite with its search.
type websiteData struct {
	Context   string           `json:"@context"`
	Type      string           `json:"@type"`
	ID        string           `json:"@id"`
	Name      string           `json:"name"`
	URL       string           `json:"url"`
	Language  string           `json:"inLanguage"`
	Publisher organizationData `json:"publisher"`
	Search    searchData       `json:"potentialAction"`
}

type searchData struct {
	Type   string `json:"@type"`
	Target string `json:"target"` // with {q} for what is looked for
	Input  string `json:"query-input"`
}

func newPlaceData(city, country string) *placeData {
	return &placeData{Type: "Place", Address: addressData{Type: "PostalAddress", Locality: city, Country: country}}
}

// foundation is the organisation behind the site as other things refer to it.
func (a *App) foundation(site models.Site) organizationData {
	return organizationData{Type: "Organization", ID: a.Site.Abs("/#foundation"), Name: site.Organisation}
}

// organisationInShort is the organisation as it calls itself in a sentence.
func organisationInShort(site models.Site) string {
	if site.Organisation == models.DefaultSite().Organisation {
		return "CD Foundation"
	}
	return site.Organisation
}

// newGroupData describes a meetup group.
func (a *App) newGroupData(site models.Site, g models.Group, address, description string, organisers []models.OrganiserRow) organizationData {
	foundation := a.foundation(site)
	place := newPlaceData(g.City, g.Country)
	place.Geo = &geoData{Type: "GeoCoordinates", Latitude: g.Latitude, Longitude: g.Longitude}
	group := organizationData{
		Context: schemaOrg, Type: "Organization", ID: address, Name: g.Name, URL: address, Description: description, Location: place, Parent: &foundation,
	}
	for _, o := range organisers {
		group.Members = append(group.Members, personData{Type: "Person", Name: o.Name})
	}
	for _, l := range g.Links {
		group.SameAs = append(group.SameAs, l.URL)
	}
	return group
}
