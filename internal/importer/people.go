package importer

import (
	"time"

	"github.com/cdfoundation/portal/models"
)

func readCohort(f *file) {
	var y struct {
		Title string `yaml:"title"`
		Date  string `yaml:"date"`
		Size  int    `yaml:"size"`
	}
	if !f.decode(&y) {
		return
	}
	f.named()
	f.required("title", y.Title)
	if _, err := time.Parse(time.DateOnly, y.Date); err != nil {
		f.wrong("date", "%q is not a day such as 2020-05-01", y.Date)
	}
	if y.Size < 0 {
		f.wrong("size", "%d is fewer than none", y.Size)
	}
	f.content.Cohorts = append(f.content.Cohorts, models.ContentCohort{
		ContentSource: f.ContentSource,
		Cohort:        models.Cohort{Title: y.Title, WelcomedOn: y.Date, Size: y.Size},
	})
}

func readAmbassador(f *file) {
	var y struct {
		Name      string        `yaml:"name"`
		Title     string        `yaml:"title"`
		Employer  string        `yaml:"employer"`
		City      string        `yaml:"city"`
		Country   string        `yaml:"country"`
		Latitude  *float64      `yaml:"latitude"`
		Longitude *float64      `yaml:"longitude"`
		Pronouns  string        `yaml:"pronouns"`
		Languages []string      `yaml:"languages"`
		Topics    []string      `yaml:"topics"`
		Links     []models.Link `yaml:"links"`
		Handle    string        `yaml:"handle"`
		Cohort    string        `yaml:"cohort"`
		Quote     string        `yaml:"quote"`
		Sample    bool          `yaml:"sample"`
	}
	if !f.decode(&y) {
		return
	}
	f.named()
	f.required("name", y.Name)
	f.required("cohort", y.Cohort)
	f.country("country", y.Country)
	f.coordinates(y.Latitude, y.Longitude)
	f.languages(y.Languages)
	f.names("topics", y.Topics, false)
	f.handle("handle", y.Handle)
	f.content.Ambassadors = append(f.content.Ambassadors, models.ContentAmbassador{
		ContentSource: f.ContentSource,
		Ambassador: models.Ambassador{
			Name: y.Name, Title: y.Title, Employer: y.Employer, City: y.City, Country: y.Country, Latitude: y.Latitude, Longitude: y.Longitude,
			Pronouns: y.Pronouns, Languages: y.Languages, Topics: y.Topics, Links: f.links(y.Links), Handle: y.Handle, Quote: y.Quote, Sample: y.Sample,
		},
		Cohort: f.reference("cohort", y.Cohort),
	})
}

func (f *file) handle(key, value string) {
	if value != "" && !handle.MatchString(value) {
		f.wrong(key, "%q is not a handle without @", value)
	}
}

func readGroup(f *file) {
	var y struct {
		Name       string        `yaml:"name"`
		City       string        `yaml:"city"`
		Country    string        `yaml:"country"`
		Latitude   *float64      `yaml:"latitude"`
		Longitude  *float64      `yaml:"longitude"`
		Timezone   string        `yaml:"timezone"`
		Topics     []string      `yaml:"topics"`
		Language   string        `yaml:"language"`
		Organisers []string      `yaml:"organisers"`
		Links      []models.Link `yaml:"links"`
		Sample     bool          `yaml:"sample"`
	}
	if !f.decode(&y) {
		return
	}
	f.named()
	f.required("name", y.Name)
	f.required("city", y.City)
	f.required("country", y.Country)
	f.country("country", y.Country)
	f.coordinates(y.Latitude, y.Longitude)
	if y.Latitude == nil && y.Longitude == nil {
		f.wrong("latitude", "is required")
	}
	f.zone("timezone", y.Timezone)
	f.names("topics", y.Topics, false)
	group := models.Group{
		Name: y.Name, City: y.City, Country: y.Country, Timezone: y.Timezone, Language: f.language("language", y.Language),
		Topics: y.Topics, Links: f.links(y.Links), Sample: y.Sample,
	}
	if y.Latitude != nil && y.Longitude != nil {
		group.Latitude, group.Longitude = *y.Latitude, *y.Longitude
	}
	f.content.Groups = append(f.content.Groups, models.ContentGroup{
		ContentSource: f.ContentSource, Group: group, Organisers: f.references("organisers", y.Organisers),
	})
}
