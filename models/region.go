package models

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Region is a part of the world as the lists of groups offer it.
type Region string

// The regions.
const (
	RegionAmericas         Region = "americas"
	RegionEurope           Region = "europe"
	RegionAfricaMiddleEast Region = "africa-middle-east"
	RegionAsiaPacific      Region = "asia-pacific"
)

// Regions lists the regions from west to east.
var Regions = []Region{RegionAmericas, RegionEurope, RegionAfricaMiddleEast, RegionAsiaPacific}

// regionCountries are the countries and areas of each region as ISO 3166-1 alpha-2 codes, after the regions of the United
// Nations' Standard Country or Area Codes for Statistical Use (M49): Africa and Western Asia (145) make one region here, and
// so do the rest of Asia (142) and Oceania (009). Taiwan, which M49 does not list by itself, stands with Eastern Asia.
// Antarctica has no region.
var regionCountries = map[Region]string{
	RegionAmericas: `
		AG AI AR AW BB BL BM BO BQ BR BS BV BZ CA CL CO CR CU CW DM DO EC FK GD GF GL GP GS GT GY HN HT JM KN KY LC MF
		MQ MS MX NI PA PE PM PR PY SR SV SX TC TT US UY VC VE VG VI`,
	RegionEurope: `
		AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT
		NL NO PL PT RO RS RU SE SI SJ SK SM UA VA`,
	RegionAfricaMiddleEast: `
		AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA
		NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW
		AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE`,
	RegionAsiaPacific: `
		AF BD BN BT CN HK ID IN IR JP KG KH KP KR KZ LA LK MM MN MO MV MY NP PH PK SG TH TJ TL TM TW UZ VN
		AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS`,
}

var regionOf = func() map[string]Region {
	of := map[string]Region{}
	for region, countries := range regionCountries {
		for country := range strings.FieldsSeq(countries) {
			of[country] = region
		}
	}
	return of
}()

// regionCountryNames are the names of the countries that have a region: lists of places ask for them row by row.
var regionCountryNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for country := range regionOf {
		if region, err := language.ParseRegion(country); err == nil && region.IsCountry() {
			names[country] = countryNames.Name(region)
		}
	}
	return names
})

// RegionOf is the region of a country, an ISO 3166-1 alpha-2 code; "" where it has none.
func RegionOf(country string) Region { return regionOf[country] }

// CountryName is the English name of a country, an ISO 3166-1 alpha-2 code; "" for what is no country.
func CountryName(country string) string {
	if name, ok := regionCountryNames()[country]; ok {
		return name
	}
	region, err := language.ParseRegion(country)
	if err != nil || !region.IsCountry() {
		return ""
	}
	return countryNames.Name(region)
}

// LanguageName is the English name of a language, a BCP 47 tag; the tag itself where the language is unknown.
func LanguageName(tag string) string {
	parsed, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	if name := languageNames.Name(parsed); name != "" {
		return name
	}
	return tag
}

var (
	countryNames  = display.English.Regions()
	languageNames = display.English.Tags()
)
