package models_test

import (
	"errors"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

const goodPassword = "slow green trains at noon"

// signedIn makes an account and signs it in.
func signedIn(t *testing.T, store *models.Store, name string, role models.Role) models.Viewer {
	t.Helper()
	_, link, err := store.AddUser(t.Context(), models.Viewer{}, models.NewUser{Email: name + "@example.org", Name: strings.ToUpper(name[:1]) + name[1:], Role: role})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := store.SignIn(t.Context(), models.Viewer{}, link, "a browser")
	if err != nil {
		t.Fatal(err)
	}
	return viewerOf(t, store, token)
}

func viewerOf(t *testing.T, store *models.Store, token string) models.Viewer {
	t.Helper()
	v, err := store.ViewerBySession(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// app is somebody's authenticator app.
type app struct {
	t      *testing.T
	secret string
	nonce  string
}

func newApp(t *testing.T, store *models.Store, by models.Viewer) app {
	t.Helper()
	address, _, nonce, err := store.NewAuthenticator(by, "CDF", "")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return app{t, u.Query().Get("secret"), nonce}
}

func (a app) code(now time.Time) string {
	a.t.Helper()
	code, err := totp.GenerateCode(a.secret, now)
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

func mustBe(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestAPasswordSignsInAndEndsOtherSessions(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		signIn := func(email, password string) (string, error) {
			token, _, err := store.SignInWithPassword(ctx, models.Viewer{}, email, password, "", "another browser", "")
			return token, err
		}
		_, err := signIn("ana@example.org", "")
		mustBe(t, "an empty password before there is one", err, models.ErrWrongPassword)
		for _, weak := range []string{"short", "password2020", "ana@example.org", "CDF Community", strings.Repeat("a b", 86)} {
			var wrong models.FieldErrors
			if err := store.SetPassword(ctx, ana, "", weak); !errors.As(err, &wrong) || wrong[0].Field != "new" {
				t.Errorf("%.20q: %v", weak, err)
			}
		}
		if err := store.SetPassword(ctx, ana, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		token, err := signIn("Ana+x@example.org", goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct{ what, email, password string }{
			{"another password", "ana@example.org", goodPassword + "!"},
			{"in capitals", "ana@example.org", strings.ToUpper(goodPassword)},
			{"with a space", "ana@example.org", goodPassword + " "},
			{"of nobody", "who@example.org", goodPassword},
		} {
			_, err := signIn(try.email, try.password)
			mustBe(t, try.what, err, models.ErrWrongPassword)
		}
		if err := store.SetPassword(ctx, ana, "not it at all", "tall clouds over the harbour"); err == nil {
			t.Error("the present password is not asked for")
		}
		if err := store.SetPassword(ctx, ana, goodPassword, "tall clouds over the harbour"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.ViewerBySession(ctx, token); err == nil {
			t.Error("the other session goes on")
		}
		if sessions, err := store.Sessions(ctx, ana.UserID); err != nil || len(sessions) != 1 || sessions[0].ID != ana.SessionID {
			t.Errorf("sessions %v, %v", sessions, err)
		}
		_, err = signIn("ana@example.org", goodPassword)
		mustBe(t, "the old password", err, models.ErrWrongPassword)
		if err := store.RemovePassword(ctx, ana); err != nil {
			t.Fatal(err)
		}
		mustBe(t, "removing it twice", store.RemovePassword(ctx, ana), models.ErrNotFound)
		_, err = signIn("ana@example.org", "tall clouds over the harbour")
		mustBe(t, "the removed password", err, models.ErrWrongPassword)
		var notes []string
		testkit.DB(t, store).Raw("SELECT note FROM mails WHERE kind = 'security' ORDER BY id").Scan(&notes)
		if strings.Join(notes, " ") != "password.set password.change password.remove" {
			t.Errorf("mails %q", notes)
		}
	})
}

func TestGuessingIsSlowedWithoutLockingTheOwnerOut(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		if err := store.SetPassword(ctx, ana, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		try := func(email, password, network string) error {
			_, _, err := store.SignInWithPassword(ctx, models.Viewer{}, email, password, network, "", "")
			return err
		}
		for _, email := range []string{"ana@example.org", "nobody@example.org"} {
			var judged, refused atomic.Int32
			var crowd sync.WaitGroup
			for range 20 {
				crowd.Go(func() {
					switch err := try(email, "wrong", ""); {
					case errors.Is(err, models.ErrWrongPassword):
						judged.Add(1)
					case errors.Is(err, models.ErrGuessing):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			crowd.Wait()
			if judged.Load() != 5 || refused.Load() != 15 {
				t.Errorf("%s: of twenty at once %d are judged and %d refused, want 5 and 15", email, judged.Load(), refused.Load())
			}
		}
		mustBe(t, "the right one meanwhile", try("ana@example.org", goodPassword, ""), models.ErrGuessing)
		// The owner's link has nothing to guess.
		link, err := store.NewSignInLink(ctx, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.SignIn(ctx, models.Viewer{}, link, ""); err != nil {
			t.Errorf("the owner is locked out: %v", err)
		}
		now.Advance(61 * time.Second)
		mustBe(t, "after a minute", try("ana@example.org", "wrong", ""), models.ErrWrongPassword)
		now.Advance(61 * time.Second)
		mustBe(t, "a minute later, when two are asked for", try("ana@example.org", goodPassword, ""), models.ErrGuessing)
		now.Advance(60 * time.Second)
		mustBe(t, "after two minutes", try("ana@example.org", goodPassword, ""), nil)
		mustBe(t, "and at once, since the right one was known", try("ana@example.org", goodPassword, ""), nil)

		for i := range 50 {
			mustBe(t, "from one network", try(string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.com", "wrong", "192.0.2.1"), models.ErrWrongPassword)
		}
		mustBe(t, "the fifty-first account from one network", try("other@example.com", "wrong", "192.0.2.1"), models.ErrGuessing)
		mustBe(t, "from another network", try("other@example.com", "wrong", "192.0.2.2"), models.ErrWrongPassword)
		now.Advance(25 * time.Hour)
		if err := store.ForgetSessions(ctx); err != nil {
			t.Fatal(err)
		}
		var kept int64
		testkit.DB(t, store).Model(&models.Guess{}).Count(&kept)
		if kept != 0 {
			t.Errorf("%d counts are kept for more than a day", kept)
		}
	})
}

func TestASecondFactorIsAskedForAfterEachFirst(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		if err := store.SetPassword(ctx, ana, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		phone := newApp(t, store, ana)
		_, err := store.AddAuthenticator(ctx, ana, phone.nonce, "000000")
		mustBe(t, "a wrong code", err, models.ErrWrongCode)
		codes, err := store.AddAuthenticator(ctx, ana, phone.nonce, phone.code(now.Now()))
		if err != nil || len(codes) != 10 {
			t.Fatalf("%d codes, %v", len(codes), err)
		}

		half := func() string {
			t.Helper()
			token, _, err := store.SignInWithPassword(ctx, models.Viewer{}, "ana@example.org", goodPassword, "", "", "/events")
			mustBe(t, "a password", err, models.ErrSecondFactor)
			if _, err := store.ViewerBySession(ctx, token); err == nil {
				t.Error("half a sign-in is a session")
			}
			return token
		}
		link, err := store.NewSignInLink(ctx, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		byLink, _, err := store.SignIn(ctx, models.Viewer{}, link, "")
		mustBe(t, "a mailed link", err, models.ErrSecondFactor)

		with := func(token, code string) (string, string, error) {
			return store.SignInWithCode(ctx, models.Viewer{}, token, code, "a phone")
		}
		_, _, err = with(byLink, phone.code(now.Now()))
		mustBe(t, "the code that set the app up", err, models.ErrWrongCode)
		now.Advance(30 * time.Second)
		session, next, err := with(half(), " "+phone.code(now.Now())[:3]+" "+phone.code(now.Now())[3:])
		if err != nil || next != "/events" || viewerOf(t, store, session).UserID != ana.UserID {
			t.Fatalf("leads to %q, %v", next, err)
		}
		_, _, err = with(byLink, phone.code(now.Now()))
		mustBe(t, "a code twice", err, models.ErrWrongCode)
		now.Advance(30 * time.Second)
		if _, _, err = with(byLink, phone.code(now.Now())); err != nil {
			t.Errorf("the next code: %v", err)
		}
		_, _, err = with(byLink, codes[0])
		mustBe(t, "half a sign-in that was used", err, models.ErrLinkUsed)

		if _, _, err = with(half(), strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		_, _, err = with(half(), codes[0])
		mustBe(t, "a recovery code twice", err, models.ErrWrongCode)
		if f, err := store.Factors(ctx, ana); err != nil || f.RecoveryCodes != 9 || f.Authenticator == nil || !f.Second() {
			t.Errorf("factors %+v, %v", f, err)
		}
		old := half()
		now.Advance(11 * time.Minute)
		_, _, err = with(old, phone.code(now.Now()))
		mustBe(t, "half a sign-in after its time", err, models.ErrLinkUsed)

		fresh, err := store.NewRecoveryCodes(ctx, ana)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = with(half(), codes[1])
		mustBe(t, "a replaced recovery code", err, models.ErrWrongCode)
		_, _, err = with(half(), fresh[1])
		mustBe(t, "a new recovery code", err, nil)

		late := half()
		for range 5 {
			_, _, err = with(late, "000000")
			mustBe(t, "guessing", err, models.ErrWrongCode)
		}
		now.Advance(30 * time.Second)
		_, _, err = with(late, phone.code(now.Now()))
		mustBe(t, "guessing on", err, models.ErrGuessing)

		if err := store.RemoveAuthenticator(ctx, ana); err != nil {
			t.Fatal(err)
		}
		_, err = store.NewRecoveryCodes(ctx, ana)
		mustBe(t, "recovery codes without a second factor", err, models.ErrConflict)
		if _, _, err := store.SignInWithPassword(ctx, models.Viewer{}, "ana@example.org", goodPassword, "", "", ""); err != nil {
			t.Errorf("without the app the password alone: %v", err)
		}
		var left int64
		testkit.DB(t, store).Model(&models.RecoveryCode{}).Count(&left)
		if left != 0 {
			t.Errorf("%d recovery codes are left", left)
		}
	})
}

func TestOneCodeLetsOneInOfManyAtOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		phone := newApp(t, store, ana)
		codes, err := store.AddAuthenticator(ctx, ana, phone.nonce, phone.code(now.Now()))
		if err != nil {
			t.Fatal(err)
		}
		now.Advance(30 * time.Second)
		for _, code := range []string{phone.code(now.Now()), codes[0]} {
			var in atomic.Int32
			var crowd sync.WaitGroup
			for range 5 {
				link, err := store.NewSignInLink(ctx, "ana@example.org")
				if err != nil {
					t.Fatal(err)
				}
				token, _, err := store.SignIn(ctx, models.Viewer{}, link, "")
				mustBe(t, "a link", err, models.ErrSecondFactor)
				crowd.Go(func() {
					if _, _, err := store.SignInWithCode(ctx, models.Viewer{}, token, code, ""); err == nil {
						in.Add(1)
					}
				})
			}
			crowd.Wait()
			if in.Load() != 1 {
				t.Errorf("one code let %d in", in.Load())
			}
			now.Advance(time.Hour) // the pause after wrong codes
		}
	})
}

func TestAProofMakesASessionFreshAndGivesItAnotherToken(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleStaff)
		if !ana.Fresh(store.Now()) {
			t.Error("who has just signed in is not fresh")
		}
		if err := store.SetPassword(ctx, ana, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		token, _, err := store.SignInWithPassword(ctx, models.Viewer{}, "ana@example.org", goodPassword, "", "", "")
		if err != nil {
			t.Fatal(err)
		}
		now.Advance(15 * time.Minute)
		ana = viewerOf(t, store, token)
		if ana.Fresh(store.Now()) {
			t.Error("still fresh after a quarter of an hour")
		}
		_, err = store.Confirm(ctx, ana, "wrong", "")
		mustBe(t, "a wrong password", err, models.ErrWrongPassword)
		again, err := store.Confirm(ctx, ana, goodPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.ViewerBySession(ctx, token); err == nil {
			t.Error("the token before still works")
		}
		if ana = viewerOf(t, store, again); !ana.Fresh(store.Now()) {
			t.Error("a proof does not make fresh")
		}
		phone := newApp(t, store, ana)
		if _, err := store.AddAuthenticator(ctx, ana, phone.nonce, phone.code(now.Now())); err != nil {
			t.Fatal(err)
		}
		now.Advance(16 * time.Minute)
		_, err = store.Confirm(ctx, ana, goodPassword, "")
		mustBe(t, "a password where there is a second factor", err, models.ErrWrongCode)
		if _, err := store.Confirm(ctx, ana, "", phone.code(now.Now())); err != nil {
			t.Errorf("a code: %v", err)
		}
	})
}

func TestStaffNeedASecondFactorWhenTheSettingSaysSo(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		people := map[string]models.Viewer{}
		tokens := map[string]string{}
		for name, role := range map[string]models.Role{"ada": models.RoleAdmin, "sam": models.RoleStaff, "ben": models.RoleAmbassador} {
			people[name] = signedIn(t, store, name, role)
			link, err := store.NewSignInLink(ctx, name+"@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if tokens[name], _, err = store.SignIn(ctx, models.Viewer{}, link, ""); err != nil {
				t.Fatal(err)
			}
		}
		mustBe(t, "staff set the rule", store.RequireSecondFactor(ctx, people["sam"], true), models.ErrNotFound)
		if err := store.RequireSecondFactor(ctx, people["ada"], true); err != nil {
			t.Fatal(err)
		}
		if on, err := store.SecondFactorRequired(ctx); err != nil || !on {
			t.Errorf("required: %t, %v", on, err)
		}
		for name, want := range map[string]bool{"ada": true, "sam": true, "ben": false} {
			v := viewerOf(t, store, tokens[name])
			if v.NeedsFactor != want {
				t.Errorf("%s needs a factor: %t", name, v.NeedsFactor)
			}
			if want && (v.Can(models.ReviewPosts, models.Object{}) || v.Can(models.ManageSite, models.Object{}) || v.Can(models.UseDesk, models.Object{}) || len(v.MayGive()) > 0) {
				t.Errorf("%s may go on without one", name)
			}
		}
		sam := viewerOf(t, store, tokens["sam"])
		phone := newApp(t, store, sam)
		if _, err := store.AddAuthenticator(ctx, sam, phone.nonce, phone.code(now.Now())); err != nil {
			t.Fatal(err)
		}
		if sam = viewerOf(t, store, tokens["sam"]); sam.NeedsFactor || !sam.Can(models.ReviewPosts, models.Object{}) {
			t.Error("with a second factor the desk stays closed")
		}
		mustBe(t, "a reset by staff", store.ResetFactors(ctx, people["sam"], people["ada"].UserID), models.ErrNotFound)
		if err := store.ResetFactors(ctx, people["ada"], sam.UserID); err != nil {
			t.Fatal(err)
		}
		if _, err := store.ViewerBySession(ctx, tokens["sam"]); err == nil {
			t.Error("a session outlives the reset")
		}
		link, err := store.NewSignInLink(ctx, "sam@example.org")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.SignIn(ctx, models.Viewer{}, link, ""); err != nil {
			t.Errorf("after a reset the link alone: %v", err)
		}
		if err := store.RequireSecondFactor(ctx, people["ada"], false); err != nil {
			t.Fatal(err)
		}
		if v := viewerOf(t, store, tokens["ada"]); v.NeedsFactor {
			t.Error("the rule outlives its setting")
		}
	})
}

func TestErasingAnAccountTakesWhatItSignsInWithAlong(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		ctx := t.Context()
		ana := signedIn(t, store, "ana", models.RoleAttendee)
		if err := store.SetPassword(ctx, ana, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		phone := newApp(t, store, ana)
		if _, err := store.AddAuthenticator(ctx, ana, phone.nonce, phone.code(now.Now())); err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.SignInWithPassword(ctx, models.Viewer{}, "ana@example.org", goodPassword, "", "", ""); !errors.Is(err, models.ErrSecondFactor) {
			t.Fatal(err)
		}
		db := testkit.DB(t, store)
		if err := db.Exec("DELETE FROM users WHERE id = ?", ana.UserID).Error; err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"passwords", "authenticators", "recovery_codes", "passkeys", "half_sign_ins", "sessions"} {
			var left int64
			db.Table(table).Count(&left)
			if left != 0 {
				t.Errorf("%d rows of %s are left", left, table)
			}
		}
	})
}

func TestASessionEndsAYearAfterSigningInHoweverOftenItIsUsed(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		signedIn(t, store, "ana", models.RoleAttendee)
		link, err := store.NewSignInLink(t.Context(), "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := store.SignIn(t.Context(), models.Viewer{}, link, "")
		if err != nil {
			t.Fatal(err)
		}
		for range 18 {
			now.Advance(20 * 24 * time.Hour)
			viewerOf(t, store, token)
		}
		now.Advance(6 * 24 * time.Hour)
		if _, err := store.ViewerBySession(t.Context(), token); err == nil {
			t.Error("it goes on for more than a year")
		}
	})
}

func TestAnUnknownAddressCostsTheHashOfAPasswordToo(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		known := s.account(t, "known@example.org", "Ana", models.RoleAttendee)
		s.account(t, "without@example.org", "Ben", models.RoleAttendee)
		if err := s.SetPassword(ctx, known, "", goodPassword); err != nil {
			t.Fatal(err)
		}
		const hash = 19 << 20 // bytes that one takes: nothing else here takes a tenth of it
		for _, email := range []string{"known@example.org", "without@example.org", "unknown@example.org"} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := s.SignInWithPassword(ctx, models.Viewer{}, email, "not it at all", "198.51.100.7", "Firefox/1 Linux", "")
			runtime.ReadMemStats(&after)
			if !errors.Is(err, models.ErrWrongPassword) {
				t.Errorf("%s is told %v", email, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took < hash || took > hash+hash/4 {
				t.Errorf("%s: %d bytes were worked with, want one hash of %d", email, took, hash)
			}
		}
	})
}
