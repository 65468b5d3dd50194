package handlers

import "testing"

func TestOnlyAWordOfLettersIsTooLongForLargeType(t *testing.T) {
	for title, want := range map[string]bool{
		"Spinnaker Gardening Days #CommunityHack":         false,
		"Softwarelieferkettensicherheit im Maschinenbau":  true,
		"Für Nachvollziehbarkeitsanforderungen":           true,
		"はじめてのTekton：小さなパイプラインを最後まで動かす夜":                  false,
		"Twenty letters: abcdefghijklmnopqrst":            false,
		"Twenty-one letters: abcdefghijklmnopqrstu":       true,
		"release-engineering-for-everybody-who-delivers ": false,
	} {
		if got := hasLongWord(title); got != want {
			t.Errorf("%q: %v, want %v", title, got, want)
		}
	}
}

func TestACityThatIsItsOwnCountryIsNamedOnce(t *testing.T) {
	for _, tt := range []struct{ city, country, want string }{
		{"Singapore", "SG", "Singapore"},
		{"Chichester", "GB", "Chichester, United Kingdom"},
		{"", "IN", "India"},
		{"Atlantis", "", "Atlantis"},
	} {
		if got := placeWords(tt.city, tt.country); got != tt.want {
			t.Errorf("%q in %q: %q, want %q", tt.city, tt.country, got, tt.want)
		}
	}
}

func TestAPersonsOwnPageLeavesTheirNameOutWhereTheyWroteAlone(t *testing.T) {
	ada, bob := PostPerson{Face: Face{Name: "Ada"}}, PostPerson{Face: Face{Name: "Bob"}}
	lines := []PostLine{
		{By: "Ada, Example", Authors: []PostPerson{ada}},
		{By: "Ada and Bob", Authors: []PostPerson{ada, bob}},
		{By: "Bob", Authors: []PostPerson{bob}},
	}
	leaveOut(lines, "Ada")
	for i, want := range []string{"", "Ada and Bob", "Bob"} {
		if lines[i].By != want {
			t.Errorf("line %d is by %q, want %q", i, lines[i].By, want)
		}
	}
}
