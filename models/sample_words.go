package models

import "github.com/cdfoundation/portal/internal/slug"

// sampleName is a part of a name, and how it is spelt in an address.
type sampleName struct{ name, ascii string }

// sampleNames are the names of one language: a person has a given and a family name of it.
type sampleNames struct {
	given, family []sampleName
	familyFirst   bool   // 山田 花子, without a space where the script has none
	between       string // between the two parts
}

func newSampleNames(familyFirst bool, between string, given, family []string) sampleNames {
	parts := func(names []string) []sampleName {
		spelt := make([]sampleName, len(names))
		for i, name := range names {
			spelt[i] = sampleName{name, slug.Make(name)}
		}
		return spelt
	}
	return sampleNames{parts(given), parts(family), familyFirst, between}
}

// newSamplePeople lists names as they are met in a list of participants anywhere: the longer the list of a language, the more
// people it makes.
func newSamplePeople() []sampleNames {
	return []sampleNames{
		newSampleNames(false, " ",
			[]string{"Alice", "Bram", "Chloe", "Dylan", "Esther", "Fiona", "Gareth", "Hannah", "Imogen", "Joel", "Kezia", "Liam", "Maeve", "Noah", "Orla", "Priscilla"},
			[]string{"Ashdown", "Blackwood", "Carrick", "Dunmore", "Ellery", "Fairbairn", "Gallagher", "Holloway", "Inglewood", "Jarrow", "Kirkbride", "Lockhart", "Maddox", "O’Rourke"}),
		newSampleNames(false, " ",
			[]string{"Björn", "Søren", "Åsa", "Þóra", "Jürgen", "Käthe", "Ilse", "Matti", "Päivi", "Łukasz", "Zofia", "Jiří", "Božena", "Ágnes"},
			[]string{"Ångström", "Brøndum", "Çelik", "Dvořáková", "Fußenegger", "Grünwald", "Hämäläinen", "Jóhannsdóttir", "Kowalczyk", "Müller-Thurgau", "Nagy", "Østergård", "Škvorecký"}),
		newSampleNames(false, " ",
			[]string{"Ana Lúcia", "Benedita", "Camilo", "Dolores", "Éloïse", "François", "Giulia", "Inês", "João", "Núria", "Óscar", "Ximena"},
			[]string{"Almeida e Sousa", "Bianchi", "Castaño", "d’Aubigny", "Echeverría", "Figueiredo", "Ibáñez", "Lefèvre", "Muñoz", "Peixoto", "Quiñones", "Rossi"}),
		newSampleNames(false, " ",
			[]string{"Abena", "Chidi", "Fatoumata", "Kwame", "Lerato", "Makena", "Ngozi", "Sipho", "Tendai", "Wanjiru"},
			[]string{"Adeyemi", "Boateng", "Diallo", "Kamau", "Mthembu", "Nwosu", "Okonkwo", "Sankara", "Traoré"}),
		newSampleNames(true, " ",
			[]string{"Anh Thư", "Bảo Ngọc", "Đức Huy", "Minh Châu", "Quỳnh Như", "Thanh Tùng"},
			[]string{"Đặng", "Huỳnh", "Lê", "Nguyễn", "Phạm", "Trần"}),
		newSampleNames(true, "", []string{"伟", "芳", "秀英", "思远", "雨桐", "子涵"}, []string{"王", "李", "张", "陈", "欧阳", "黄"}),
		newSampleNames(true, " ", []string{"陽菜", "健太", "さくら", "翔", "美咲", "大輔"}, []string{"佐藤", "鈴木", "高橋", "田中", "渡辺", "小林"}),
		newSampleNames(true, "", []string{"서연", "민준", "지우", "하은", "도윤"}, []string{"김", "이", "박", "최", "정"}),
		newSampleNames(false, " ", []string{"Анна", "Дмитро", "Ирина", "Оксана", "Сергей", "Любомир"}, []string{"Иваненко", "Коваленко", "Морозов", "Петрова", "Шевчук"}),
		newSampleNames(false, " ", []string{"Αλέξανδρος", "Ελένη", "Κωνσταντίνος", "Σοφία"}, []string{"Αντωνίου", "Γεωργιάδης", "Παπαδοπούλου"}),
		newSampleNames(false, " ", []string{"أحمد", "فاطمة", "يوسف", "ليلى", "عمر"}, []string{"الحسيني", "المنصوري", "حداد", "بن علي"}),
		newSampleNames(false, " ", []string{"דנה", "יונתן", "נועה", "אורי"}, []string{"כהן", "לוי", "פרידמן"}),
		newSampleNames(false, " ", []string{"अनन्या", "विक्रम", "प्रिया", "राहुल", "Aditi", "Karthik"}, []string{"शर्मा", "वर्मा", "अय्यर", "Subramanian", "Chattopadhyay"}),
		newSampleNames(false, " ", []string{"กมลชนก", "ธนกร", "พิมพ์มาดา"}, []string{"ศรีสุวรรณ", "วงศ์สวัสดิ์", "จันทร์เพ็ญ"}),
		newSampleNames(false, " ", []string{"Maximiliane Theodora", "Hermenegildo Francisco", "Wilhelmina Aleida"},
			[]string{"von Hohenstein-Wallmerode zu Lichtenfels", "Fernández de la Cueva y Ruiz de Azcárraga", "van der Westhuizen-Oosterhuizen"}),
	}
}

// sampleCity is a true place: groups meet there.
type sampleCity struct {
	name, country, zone, language string
	latitude, longitude           float64
}

var sampleCities = []sampleCity{
	{"Accra", "GH", "Africa/Accra", "en", 5.56, -0.2},
	{"Amsterdam", "NL", "Europe/Amsterdam", "nl", 52.37, 4.9},
	{"Athína", "GR", "Europe/Athens", "el", 37.98, 23.73},
	{"Auckland", "NZ", "Pacific/Auckland", "en", -36.85, 174.76},
	{"Austin", "US", "America/Chicago", "en", 30.27, -97.74},
	{"Barcelona", "ES", "Europe/Madrid", "ca", 41.39, 2.17},
	{"Bengaluru", "IN", "Asia/Kolkata", "en", 12.97, 77.59},
	{"Bergen", "NO", "Europe/Oslo", "no", 60.39, 5.32},
	{"Bogotá", "CO", "America/Bogota", "es", 4.71, -74.07},
	{"Bratislava", "SK", "Europe/Bratislava", "sk", 48.15, 17.11},
	{"Brisbane", "AU", "Australia/Brisbane", "en", -27.47, 153.03},
	{"București", "RO", "Europe/Bucharest", "ro", 44.43, 26.1},
	{"Budapest", "HU", "Europe/Budapest", "hu", 47.5, 19.04},
	{"Cape Town", "ZA", "Africa/Johannesburg", "en", -33.92, 18.42},
	{"Casablanca", "MA", "Africa/Casablanca", "fr", 33.57, -7.59},
	{"Chennai", "IN", "Asia/Kolkata", "en", 13.08, 80.27},
	{"Córdoba", "AR", "America/Argentina/Cordoba", "es", -31.42, -64.18},
	{"Curitiba", "BR", "America/Sao_Paulo", "pt", -25.43, -49.27},
	{"Dakar", "SN", "Africa/Dakar", "fr", 14.72, -17.47},
	{"Đà Nẵng", "VN", "Asia/Ho_Chi_Minh", "vi", 16.05, 108.21},
	{"Dhaka", "BD", "Asia/Dhaka", "bn", 23.81, 90.41},
	{"Dublin", "IE", "Europe/Dublin", "en", 53.35, -6.26},
	{"Edinburgh", "GB", "Europe/London", "en", 55.95, -3.19},
	{"Fukuoka", "JP", "Asia/Tokyo", "ja", 33.59, 130.4},
	{"Genève", "CH", "Europe/Zurich", "fr", 46.2, 6.14},
	{"Göteborg", "SE", "Europe/Stockholm", "sv", 57.71, 11.97},
	{"Graz", "AT", "Europe/Vienna", "de", 47.07, 15.44},
	{"Guadalajara", "MX", "America/Mexico_City", "es", 20.66, -103.35},
	{"Haifa", "IL", "Asia/Jerusalem", "he", 32.79, 34.99},
	{"Hamburg", "DE", "Europe/Berlin", "de", 53.55, 9.99},
	{"Helsinki", "FI", "Europe/Helsinki", "fi", 60.17, 24.94},
	{"Hồ Chí Minh", "VN", "Asia/Ho_Chi_Minh", "vi", 10.82, 106.63},
	{"Honolulu", "US", "Pacific/Honolulu", "en", 21.31, -157.86},
	{"İzmir", "TR", "Europe/Istanbul", "tr", 38.42, 27.14},
	{"Jakarta", "ID", "Asia/Jakarta", "id", -6.21, 106.85},
	{"Kampala", "UG", "Africa/Kampala", "en", 0.35, 32.58},
	{"Kathmandu", "NP", "Asia/Kathmandu", "ne", 27.72, 85.32},
	{"Kigali", "RW", "Africa/Kigali", "en", -1.94, 30.06},
	{"København", "DK", "Europe/Copenhagen", "da", 55.68, 12.57},
	{"Köln", "DE", "Europe/Berlin", "de", 50.94, 6.96},
	{"Kuala Lumpur", "MY", "Asia/Kuala_Lumpur", "ms", 3.14, 101.69},
	{"Kyiv", "UA", "Europe/Kyiv", "uk", 50.45, 30.52},
	{"La Paz", "BO", "America/La_Paz", "es", -16.5, -68.15},
	{"Lima", "PE", "America/Lima", "es", -12.05, -77.04},
	{"Lisboa", "PT", "Europe/Lisbon", "pt", 38.72, -9.14},
	{"Ljubljana", "SI", "Europe/Ljubljana", "sl", 46.06, 14.51},
	{"Lyon", "FR", "Europe/Paris", "fr", 45.76, 4.84},
	{"Manila", "PH", "Asia/Manila", "en", 14.6, 120.98},
	{"Medellín", "CO", "America/Bogota", "es", 6.24, -75.58},
	{"Melbourne", "AU", "Australia/Melbourne", "en", -37.81, 144.96},
	{"Milano", "IT", "Europe/Rome", "it", 45.46, 9.19},
	{"Montréal", "CA", "America/Toronto", "fr", 45.5, -73.57},
	{"Nairobi", "KE", "Africa/Nairobi", "en", -1.29, 36.82},
	{"Oulu", "FI", "Europe/Helsinki", "fi", 65.01, 25.47},
	{"Plovdiv", "BG", "Europe/Sofia", "bg", 42.15, 24.75},
	{"Porto", "PT", "Europe/Lisbon", "pt", 41.15, -8.61},
	{"Praha", "CZ", "Europe/Prague", "cs", 50.08, 14.44},
	{"Pune", "IN", "Asia/Kolkata", "en", 18.52, 73.86},
	{"Quito", "EC", "America/Guayaquil", "es", -0.18, -78.47},
	{"Recife", "BR", "America/Recife", "pt", -8.05, -34.88},
	{"Reykjavík", "IS", "Atlantic/Reykjavik", "is", 64.15, -21.94},
	{"Rīga", "LV", "Europe/Riga", "lv", 56.95, 24.11},
	{"Santiago", "CL", "America/Santiago", "es", -33.45, -70.67},
	{"Seattle", "US", "America/Los_Angeles", "en", 47.61, -122.33},
	{"Seoul", "KR", "Asia/Seoul", "ko", 37.57, 126.98},
	{"St. John’s", "CA", "America/St_Johns", "en", 47.56, -52.71},
	{"Taipei", "TW", "Asia/Taipei", "zh", 25.03, 121.57},
	{"Tallinn", "EE", "Europe/Tallinn", "et", 59.44, 24.75},
	{"Tbilisi", "GE", "Asia/Tbilisi", "ka", 41.72, 44.79},
	{"Thessaloníki", "GR", "Europe/Athens", "el", 40.64, 22.94},
	{"Torino", "IT", "Europe/Rome", "it", 45.07, 7.69},
	{"Tōkyō", "JP", "Asia/Tokyo", "ja", 35.68, 139.69},
	{"Valparaíso", "CL", "America/Santiago", "es", -33.05, -71.61},
	{"Vilnius", "LT", "Europe/Vilnius", "lt", 54.69, 25.28},
	{"Warszawa", "PL", "Europe/Warsaw", "pl", 52.23, 21.01},
	{"Winnipeg", "CA", "America/Winnipeg", "en", 49.9, -97.14},
	{"Wrocław", "PL", "Europe/Warsaw", "pl", 51.11, 17.03},
	{"Yaoundé", "CM", "Africa/Douala", "fr", 3.85, 11.5},
	{"Zagreb", "HR", "Europe/Zagreb", "hr", 45.81, 15.98},
	{"Zürich", "CH", "Europe/Zurich", "de", 47.37, 8.54},
}

var (
	sampleCircles = []string{
		"Continuous Delivery", "Pipelines", "Platform Circle", "Release Engineers", "Deploy Nights", "Build & Test", "GitOps Table", "Supply Chain Guild",
		"Tekton Friends", "Jenkins Users", "Rollback Club", "Delivery Breakfast", "Test Automation", "Site Reliability Evenings",
	}
	sampleTopics = []string{
		"Tekton", "Jenkins", "Spinnaker", "GitOps", "Kubernetes", "Observability", "Supply chain security", "Test automation", "Feature flags",
		"Platform teams", "Progressive delivery", "Build caching", "Machine learning", "Policy as code", "Open source maintenance", "Measuring delivery",
		"Trunk-based development", "Database changes", "Mobile releases", "Embedded software", "Incident review", "Secrets", "Artifacts", "Signing",
		"Infrastructure as code", "Monorepos", "Release notes", "Interoperability", "Events", "Accessibility",
	}
	sampleEmployers = []string{
		"Tidewater Bank", "Kestrel Rail", "Nordlys Energi", "Mangrove Health", "Papaya Logistics", "Übersee Versand", "青空システム", "Cooperativa Río Claro",
		"Lantern Insurance", "Granite & Sons", "Blue Heron Hospital", "Étoile Télécom", "City of Lakes", "University of the Fjords", "Harbour Radio",
	}
	sampleJobs = []string{
		"Release engineer", "Platform engineer", "Site reliability engineer", "Test lead", "Build engineer", "Engineering manager", "Developer",
		"Product owner", "Security engineer", "Data engineer", "Teacher", "Open source maintainer",
	}
	sampleVenues = []string{
		"Old Printing House", "Library, second floor", "Harbour Hall", "Room above the bakery", "Faculty of Engineering", "Museum of Clocks", "Town Hall annexe",
		"Former tram depot",
	}
	sampleCategories = []string{"Staff", "Project", "Community"}
)

// A title is one of each: 20 × 24 × 24 in English.
var sampleTitles = map[string][3][]string{
	"en": {
		{
			"How we moved", "What it took to shrink", "A year of watching", "Three ways to test", "Why we stopped guarding", "Teaching newcomers",
			"Rewriting", "The quiet cost of", "A field guide to", "Lessons from breaking", "Measuring", "Small steps towards", "Undoing", "Notes on", "Rehearsing",
			"Giving away", "A checklist for", "Who looks after", "Living with", "The long way round to",
		},
		{
			"release trains", "a nightly build", "the deployment pipeline", "flaky tests", "rollbacks", "shared libraries", "build agents", "canary releases",
			"signed artifacts", "feature flags", "database migrations", "a hundred repositories", "the change calendar", "code review", "preview environments",
			"configuration drift", "dependency updates", "the on-call rota", "release notes", "an internal platform", "secrets in pipelines", "mobile builds",
			"a bill of materials", "the test environment",
		},
		{
			"in a hospital", "with a team of three", "at the end of the quarter", "without a maintenance window", "on a train", "for forty countries",
			"when nobody was watching", "in an afternoon", "before the holidays", "on hardware from 2011", "with Tekton", "with Jenkins", "with Spinnaker",
			"in a regulated bank", "after the outage", "and what we would do again", "in the open", "for a radio station", "one service at a time",
			"while the users slept", "at a university", "with volunteers", "across nine time zones", "in the second year",
		},
	},
	"de": {
		{"Wie wir", "Warum wir", "Was es heißt, wenn wir"},
		{"nächtliche Builds", "das Freigabeverfahren", "die Auslieferung ins Ausland", "wackelige Tests", "Konfigurationsänderungen", "unser Zurückrollen"},
		{"neu gedacht haben", "an einem Nachmittag umgebaut haben", "gemeinsam üben", "nicht mehr fürchten"},
	},
	"es": {
		{"Cómo", "Por qué", "Un año después de que"},
		{"ordenamos los despliegues", "medimos la entrega", "compartimos las bibliotecas", "apagamos el servidor viejo"},
		{"en un hospital", "con un equipo pequeño", "sin detener el servicio", "entre tres países"},
	},
	"ja": {
		{"はじめての", "小さなチームの", "夜間に行う"},
		{"パイプライン", "デプロイの自動化", "リリース作業", "テスト環境"},
		{"を見直した話", "でつまずいたこと", "入門"},
	},
}

// Sentences of posts. They fit in any order, so that a few of them make many texts.
var sampleSentences = map[string][]string{
	"en": {
		"The first version of the pipeline was a shell script that one person understood, and that person was about to go on leave.",
		"We wrote down every step that somebody did by hand, and were surprised that the list filled two pages.",
		"Most of the time went into waiting: for a free agent, for an approval, for somebody to come back from lunch.",
		"A deployment that nobody notices is the best kind, and it is also the kind that nobody thanks you for.",
		"So we began with the smallest service, the one that renders invoices as PDF, because it could be down for an hour without a call.",
		"It helped to show the same chart every Monday, even in weeks in which the line went the wrong way.",
		"The tests that failed at random were moved to a list of their own, with a name next to each and a date by which it had to go.",
		"Nobody missed the change board once its three questions were asked by the pipeline instead.",
		"What we had taken for a problem of the tool turned out to be a problem of who was allowed to press the button.",
		"The rollback is now the same job as the rollout, with an older version as its argument, and it runs every Thursday whether it is needed or not.",
		"There is a table in the wiki that says which team looks after which image, and a job that complains when a row is empty.",
		"We keep the secrets out of the repository and out of the logs, and a test reads the logs of every build to be sure.",
		"Caching the dependencies saved four minutes a build; turning off a test that slept saved six.",
		"Tekton made the steps visible, which was uncomfortable at first, because some of them did nothing.",
		"On Jenkins the shared library had grown to nine thousand lines, most of them for projects that had ended.",
		"The canary gets five percent of the requests for ten minutes, and a person looks at the graph only when the numbers disagree.",
		"Every artifact carries a signature and the address of the build that made it, so that the question “where does this come from?” has an answer.",
		"When the network of the building failed, we found out that the pipeline needed a font from a server in another country.",
		"Newcomers deploy on their first day; it is a change to a page that nobody reads, but it goes the whole way.",
		"We asked the people on the night shift what they feared, and wrote an alert for each answer that was not about coffee.",
		"The database is migrated in two steps, so that the old version of the program can live with the new shape of the tables.",
		"Flags are removed within a month, because a flag that stays becomes a setting that nobody dares to touch.",
		"A release used to be an event with cake; now the cake is for the month in which nobody spoke of releases.",
		"The auditors liked it more than anybody: they can read who approved what without asking for a spreadsheet.",
		"There is still a machine under a desk, and it still builds the firmware, but at least it now has a label.",
		"In the end the number that moved most was not the speed of the build but the size of a change.",
		"If you try this at home, start with the part that hurts and leave the elegant part for later.",
		"Somebody will say that it cannot work here, and they will know something that you do not, so listen before you answer.",
		"The documentation is generated from the same file as the checks, which is why it is right more often than before.",
		"We publish the review of every incident inside the company, with what went well at the top.",
	},
	"de": {
		"Am Anfang stand ein Skript, das nur eine Kollegin verstand, und sie wollte in den Urlaub.",
		"Wir schrieben jeden Handgriff auf und wunderten uns, dass die Liste zwei Seiten lang wurde.",
		"Die meiste Zeit verging mit Warten: auf einen freien Rechner, auf eine Freigabe, auf das Ende der Mittagspause.",
		"Zurückgerollt wird jeden Donnerstag, ob es nötig ist oder nicht.",
		"Seit die Tests einen Namen neben sich stehen haben, werden sie gepflegt.",
		"Am meisten gefiel es der Revision, die nun nachlesen kann, wer was freigegeben hat.",
		"Unter einem Schreibtisch steht noch ein Rechner, der die Firmware baut, aber er hat jetzt ein Schild.",
	},
	"es": {
		"Todo empezó con un guion que entendía una sola persona, y esa persona estaba por irse de vacaciones.",
		"Anotamos cada paso que se hacía a mano y la lista ocupó dos páginas.",
		"Casi todo el tiempo se iba en esperar: una máquina libre, un permiso, el fin del almuerzo.",
		"Ahora volvemos atrás todos los jueves, haga falta o no.",
		"Las pruebas que fallaban al azar tienen nombre, alguien que las cuida y fecha de salida.",
		"Quien llega nuevo despliega el primer día un cambio pequeño que llega hasta el final.",
	},
	"ja": {
		"最初のパイプラインは、一人しか理解していないシェルスクリプトでした。",
		"手作業の手順をすべて書き出すと、二ページにもなりました。",
		"待ち時間のほとんどは、空いているエージェントと承認を待つ時間でした。",
		"切り戻しは毎週木曜日に、必要がなくても実行します。",
		"新しい仲間は初日に小さな変更を本番まで届けます。",
		"テストには担当者の名前と期限を書くことにしました。",
	},
}

// Headings of posts' sections, and the sentences of events and groups.
var (
	sampleHeadings = map[string][]string{
		"en": {"Where we started", "What we changed", "What went wrong", "The numbers", "What we would do again", "For those who come next", "A word on tools", "Who did the work"},
		"de": {"Der Anfang", "Was sich änderte", "Was schiefging", "Wie es weitergeht"},
		"es": {"El comienzo", "Lo que cambió", "Lo que salió mal", "Lo que sigue"},
		"ja": {"はじめに", "変えたこと", "うまくいかなかったこと", "これから"},
	}
	sampleEventTitles = map[string][]string{
		"en": {
			"Pipelines for people who dislike pipelines", "An evening about rollbacks", "Release clinic: bring your own build", "Two talks and a long break",
			"Canary releases by example", "Who signs the artifact?", "Game day: the registry is gone", "Flaky tests, named and shamed", "Tekton from the first task",
			"Jenkins gardening", "Measuring without blaming", "Platform teams, two years in", "Database changes without a window", "Lightning talks, ten of them",
			"A reading circle on incident reviews", "From commit to customer in an afternoon",
		},
		"de": {"Ein Abend über das Zurückrollen", "Pipelines zum Anfassen", "Tests, die manchmal scheitern"},
		"es": {"Taller de entregas pequeñas", "Una tarde de despliegues", "Medir sin culpar"},
		"ja": {"はじめてのパイプライン", "切り戻しを練習する夜"},
	}
	sampleEventWords = []string{
		"Doors open half an hour before. There is something to drink, and a table at the back for questions that need a quiet corner.",
		"The talks are short and leave room for what you want to know. Slides are put online the day after.",
		"You need no experience, only a laptop if you want to type along. Who has none sits with somebody who has.",
		"The room can be reached without steps. Tell us beforehand if you need an interpreter or a seat near the front.",
		"After the talks we clear the tables and look at the pipelines that people brought along.",
		"Photographs are taken from the back only. If you would rather not be in them, take a yellow sticker at the door.",
		"If you cannot come after all, give your place back by the link in your confirmation, so that somebody else can have it.",
	}
	sampleGroupWords = []string{
		"We meet once a month on a weekday evening, in rooms that somebody's employer lends us.",
		"Half of the evening is talks and half is talking. Nobody sells anything.",
		"Every season we pick one subject and stay with it: last time it was tests that fail at random.",
		"Newcomers are met at the door and need not know anything beforehand.",
		"Whoever wants to speak for the first time finds two people here who listen to a rehearsal.",
		"Our notes are public, and so is the list of subjects that we have not got to yet.",
	}
	sampleSessionTitles = []string{
		"Welcome", "What broke in March", "A pipeline in forty lines", "The build that took a day", "Signing without tears", "Questions from the box",
		"Flags: how they end", "How the night shift deploys", "Agents on spot machines", "A rehearsal of the rollback",
	}
	sampleReasons = []string{
		"The room has been flooded.", "The speakers are ill.", "A strike keeps most of us at home.", "Another event took the evening; we meet next month.",
	}
)
