package handlers_test

import (
	"net"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

func TestAListOfGroupsIsNarrowedWhileTyping(t *testing.T) {
	w := newPeopleWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.app.Listener(listener) }()
	t.Cleanup(func() {
		if err := w.app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	b := testkit.NewBrowser(t)
	b.Open("http://" + listener.Addr().String() + "/groups?country=JP")
	if got := b.Text("#groups-count"); got != "1" {
		t.Errorf("the server finds %s groups in Japan", got)
	}
	state := func() string {
		return testkit.Eval[string](b, `[...document.querySelectorAll('.group-row')].filter(e => e.offsetHeight).map(e => e.dataset.slug).join(' ') + '|' +
			[...document.querySelectorAll('.map a')].filter(e => getComputedStyle(e).display !== 'none').map(e => e.id).join(' ') + '|' +
			document.querySelector('#groups-count').textContent + '|' + document.querySelector('#groups-none').hidden`)
	}
	if got, want := state(), "tokyo|pin-tokyo|1|true"; got != want {
		t.Errorf("at first %q, want %q", got, want)
	}
	testkit.Eval[bool](b, `{const s = document.querySelector('select[name=country]'); s.value = ''; s.dispatchEvent(new Event('input', {bubbles: true}))}`)
	b.Fill("input[name=q]", "náirobi")
	if got, want := state(), "nairobi|pin-nairobi|1|true"; got != want {
		t.Errorf("for Nairobi %q, want %q", got, want)
	}
	b.Fill("input[name=q]", "atlantis")
	if got, want := state(), "||0|false"; got != want {
		t.Errorf("for nowhere %q, want %q", got, want)
	}
}
