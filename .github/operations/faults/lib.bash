# What the fault scripts share; each reads it first. It starts portals of its own on free ports with data of their own
# in a temporary folder, and ends nothing that it did not start.
set -uo pipefail

# Bound every script in time, also one that is run alone.
if [ -z "${FAULT_BOUNDED:-}" ]; then
	FAULT_BOUNDED=1 exec timeout --kill-after=15 "${FAULT_LIMIT:-180}" "$BASH" "$0" "$@"
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
portal=${PORTAL:-$root/bin/portal}
fault=$(basename "$0")
work=$(mktemp -d "${TMPDIR:-/tmp}/portal-fault.XXXXXX")
pids=()      # what this script started and has not ended yet
faults=0     # expectations that were not met
pid=         # the portal that runs
url=         # where it listens
settings=()  # of this script's portals, NAME=value

export PORTAL_DATA_DIR=$work/data PORTAL_ADDR=127.0.0.1:0 PORTAL_RATE_LIMIT=off PORTAL_SEED=none PORTAL_LOG_LEVEL=warn
unset PORTAL_BASE_URL PORTAL_DATABASE_URL PORTAL_DATABASE_URL_FILE PORTAL_SMTP_URL PORTAL_SMTP_URL_FILE PORTAL_SECRET_KEY \
	PORTAL_SECRET_KEY_FILE PORTAL_STORAGE_URL PORTAL_STORAGE_URL_FILE PORTAL_CLOCK_OFFSET PORTAL_TRUSTED_PROXIES PORTAL_MAIL_FROM PORTAL_LOG_FORMAT
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

say() { printf '%s: %s\n' "$fault" "$*"; }

# skip ends the script with the status that `run` counts as left out.
skip() {
	say "SKIPPED: $*"
	exit 77
}

# give_up ends the script when going on would tell nothing.
give_up() {
	say "FAILED: $*"
	[ -s "$work/log" ] && tail -n 5 "$work/log" | sed "s/^/$fault:   log: /"
	exit 1
}

# expect WORDS GOT PATTERN: what was got has to match the pattern of bash.
expect() {
	# shellcheck disable=SC2053 # it is a pattern
	if [[ $2 == $3 ]]; then
		say "ok: $1"
	else
		say "NOT AS EXPECTED: $1: got '$2', want '$3'"
		faults=$((faults + 1))
	fi
}

finish() {
	if [ "$faults" -gt 0 ]; then
		say "FAILED: $faults expectations were not met"
		[ -s "$work/log" ] && tail -n 5 "$work/log" | sed "s/^/$fault:   log: /"
		exit 1
	fi
	say passed
	exit 0
}

cleanup() {
	for p in "${pids[@]}"; do kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	umount "$PORTAL_DATA_DIR" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
trap '' PIPE # a portal that closes a connection must not end the script

[ -x "$portal" ] || give_up "there is no $portal: run \`make build\`, or name the program in PORTAL"
command -v curl >/dev/null || give_up "curl is needed"

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

listening() { grep -q '^listening on ' "$work/out" || ! kill -0 "$pid" 2>/dev/null; }

# start serves on a free port; it fails when the program ends instead.
start() {
	: >"$work/out"
	env "${settings[@]}" "$portal" serve "$@" >"$work/out" 2>>"$work/log" &
	pid=$!
	pids+=("$pid")
	wait_for 30 listening || give_up "the portal did not listen within 30 seconds"
	url=$(sed -n 's/^listening on //p' "$work/out")
	[ -n "$url" ] || give_up "the portal ended instead of serving"
}

# stop ends it with a signal and tells in $ended with which code it ended.
stop() {
	kill "-${1:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	ended=$?
}

alive() { kill -0 "$pid" 2>/dev/null; }

# command runs another of the program's commands with the same settings.
command_of_portal() { env "${settings[@]}" "$portal" "$@"; }

# status PATH [OPTIONS OF CURL]: the status of an answer, 000 without one within 25 seconds.
status() {
	local path=$1
	shift
	curl --silent --output "$work/body" --dump-header "$work/head" --write-out '%{http_code}' --max-time 25 "$@" "$url$path"
}

# register NAME: registers somebody for the event and says what status came back.
register() {
	status /events/trial/register --data-urlencode "name=$1" --data-urlencode "email=$1@example.org" --data tickets=seat --data consent=yes --data "nonce=nonce-$1"
}

# crowd PEOPLE PREFIX: so many register at once. It says which status each got, as "50 503", and $work/longest says in how many seconds the last.
crowd() {
	local n people=()
	rm -f "$work"/crowd.*
	for n in $(seq 1 "$1"); do
		curl --silent --output /dev/null --write-out '%{http_code} %{time_total}\n' --max-time 60 --data-urlencode "name=$2$n" \
			--data-urlencode "email=$2$n@example.org" --data tickets=seat --data consent=yes --data "nonce=nonce-$2$n" \
			"$url/events/trial/register" >"$work/crowd.$n" &
		people+=($!)
	done
	wait "${people[@]}"
	cut -d' ' -f2 "$work"/crowd.* | sort -n | tail -n 1 | cut -d. -f1 >"$work/longest"
	cut -d' ' -f1 "$work"/crowd.* | sort | uniq -c | tr -s ' ' | sed 's/^ //' | paste -s -d,
}

header() { sed -n "s/^$1: *\([^\r]*\)\r*$/\1/Ip" "$work/head"; }

# registrations is how many there are.
registrations() { command_of_portal stats --json 2>/dev/null | tr '{}' '\n\n' | sed -n 's/"of":"registrations confirmed trial","n":\([0-9]*\)/\1/p'; }

# event makes an event with a thousand seats, three weeks ahead.
event() {
	mkdir -p "$work/content/events"
	cat >"$work/content/events/trial.md" <<-END
		---
		title: Trial
		kind: meetup
		mode: in_person
		timezone: Europe/Berlin
		next: {in_days: 21, time: "18:00", duration: 2h}
		summary: To see what holds.
		venue: {name: Hall, city: Berlin, country: DE}
		quotas:
		  - {name: room, size: 1000}
		tickets:
		  - {name: Seat, quotas: [room]}
		---

		Come.
	END
	command_of_portal migrate >/dev/null && command_of_portal content import "$work/content" >/dev/null || give_up "the event was not made"
}

# sound asks the doctor.
sound() { command_of_portal doctor >"$work/doctor" 2>&1 && echo sound || cat "$work/doctor"; }

# helper NAME builds one of the small programs beside the scripts and says where it is.
helper() {
	command -v go >/dev/null || skip "Go is needed to build $1.go"
	(cd "$root" && go build -o "$work/$1" ".github/operations/faults/$1.go") || give_up "$1.go was not built"
	echo "$work/$1"
}

# connect opens a connection to the portal and puts its descriptor into $fd.
connect() {
	local place=${url#http://}
	exec {fd}<>"/dev/tcp/${place%:*}/${place##*:}"
}
