package handlers

import (
	"context"
	"html/template"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
	"github.com/cdfoundation/portal/static"
)

// HomeShow is the home page.
type HomeShow struct {
	Layout
	Art               template.HTML
	Events            []EventLine
	Feature           *PostLine
	Posts             []PostLine
	Groups, Countries int
	Map               Map
	Ambassadors       []AmbassadorLine
	Rest              *CohortRest
}

// CohortRest is how many people of a cohort have no profile.
type CohortRest struct {
	URL, Words string
	Count      int
	Art        template.HTML
}

// homePlaces is what the home page shows of all groups and ambassadors.
type homePlaces struct {
	groups, countries int
	world             Map
	ambassadors       []AmbassadorLine
	rest              *CohortRest
}

func (a *App) homePlaces(ctx context.Context) (homePlaces, error) {
	groups, err := a.groupDirectory(ctx)
	if err != nil {
		return homePlaces{}, err
	}
	people, err := a.peopleDirectory(ctx)
	if err != nil {
		return homePlaces{}, err
	}
	h := homePlaces{
		groups: len(groups.rows), countries: countries(groups.rows),
		world:       newWorldMap(groups.rows, people.rows, "World map with a dot wherever there are groups, and the ambassadors whose place is known"),
		ambassadors: newAmbassadorLines(people.rows[:min(len(people.rows), homeAmbassadors)]),
	}
	if len(people.rows) <= homeAmbassadors {
		h.rest = newCohortRest(people.rows)
	}
	return h, nil
}

// newCohortRest is of the cohort of the first of the profiles, which are all there are; nil when nobody is missing.
func newCohortRest(rows []models.AmbassadorRow) *CohortRest {
	if len(rows) == 0 || rows[0].CohortSlug == "" {
		return nil
	}
	cohort := rows[0]
	rest := cohort.CohortSize
	for _, row := range rows {
		if row.CohortSlug == cohort.CohortSlug {
			rest--
		}
	}
	if rest <= 0 {
		return nil
	}
	path := links.Cohort(cohort.CohortSlug)
	return &CohortRest{
		URL: path, Count: rest, Words: cohort.CohortTitle + " of " + strconv.Itoa(cohort.CohortSize), Art: blessed(artwork.Cover(path, 300, 300, "")),
	}
}

// How much of each list the home page shows.
const (
	homeEvents      = 4
	homePosts       = 6
	homeAmbassadors = 9
)

func (a *App) showHome(c *fiber.Ctx) error {
	ctx := c.UserContext()
	events, err := a.Store.Events(ctx, models.EventFilter{Living: true, Limit: homeEvents})
	if err != nil {
		return err
	}
	posts, err := a.Store.Posts(ctx, models.PostFilter{Limit: homePosts})
	if err != nil {
		return err
	}
	places, err := a.keptHome.get(ctx, a.Store, a.homePlaces)
	if err != nil {
		return err
	}
	page := HomeShow{
		Layout: a.layout(c, "Where people who ship software meet",
			"Local groups, a shared calendar and field notes from the teams behind Jenkins, Jenkins X, Spinnaker, Tekton and Screwdriver."),
		Art: blessed(artwork.Hero()), Events: newEventLines(events, a.Store.Now()), Posts: newPostLines(posts),
		Groups: places.groups, Countries: places.countries, Map: places.world, Ambassadors: places.ambassadors, Rest: places.rest,
	}
	if len(page.Posts) > 0 {
		page.Feature, page.Posts = &page.Posts[0], page.Posts[1:]
	}
	page.StructuredData = a.homeData(a.site(c))
	return show(c, http.StatusOK, a.pages.homeShow, page)
}

// homeData describes the foundation and this site.
func (a *App) homeData(site models.Site) []any {
	foundation := a.foundation(site)
	website := websiteData{
		Context: schemaOrg, Type: "WebSite", ID: a.Site.Abs("/#website"), Name: site.Name, URL: a.Site.Abs(links.Home), Language: "en",
		Publisher: foundation,
		Search:    searchData{Type: "SearchAction", Target: a.Site.Abs(links.Search) + "?q={q}", Input: "required name=q"},
	}
	foundation.Context, foundation.AlternateName, foundation.URL = schemaOrg, site.ShortName, a.Site.Abs(links.Home)
	foundation.Logo, foundation.Description = a.Site.Abs(static.Path("img/icon-512.png")), site.About
	if site.Logo != nil {
		foundation.Logo = a.Site.Abs(links.Media(site.Logo.Name))
	}
	if site.Organisation == models.DefaultSite().Organisation {
		foundation.FoundingDate = "2019-03-12"
		foundation.Description = "A vendor-neutral home for open source delivery tools, part of the Linux Foundation."
	}
	return []any{foundation, website}
}
