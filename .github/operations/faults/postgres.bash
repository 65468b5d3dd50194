# A PostgreSQL of its own for the scripts that need one, in the temporary folder of lib.bash.

# postgres_here looks for the server's programs.
postgres_here() {
	local initdb
	initdb=$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -n 1 || compgen -G '/usr/pgsql-*/bin/initdb' | tail -n 1)
	[ -n "$initdb" ] || return 1
	postgres_bin=$(dirname "$(readlink -f "$initdb")")
	[ -x "$postgres_bin/postgres" ] && [ -x "$postgres_bin/psql" ]
}

# As root the server has to be somebody else.
as_postgres() {
	if [ "$(id -u)" -eq 0 ]; then
		(cd / && setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
	else
		"$@"
	fi
}

postgres_start() {
	if [ ! -d "$work/postgres" ]; then
		mkdir "$work/postgres"
		chmod 755 "$work"
		[ "$(id -u)" -ne 0 ] || chown 65534:65534 "$work/postgres"
		as_postgres "$postgres_bin/initdb" --pgdata "$work/postgres/data" --username portal --auth trust --no-sync >"$work/initdb" 2>&1 ||
			give_up "initdb: $(tail -n 1 "$work/initdb")"
	fi
	# Not pg_ctl: this way the script knows whom it started.
	if [ "$(id -u)" -eq 0 ]; then
		(cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$postgres_bin/postgres" -D "$work/postgres/data" -k "$work/postgres" -c listen_addresses=) >>"$work/postgres.log" 2>&1 &
	else
		"$postgres_bin/postgres" -D "$work/postgres/data" -k "$work/postgres" -c listen_addresses= >>"$work/postgres.log" 2>&1 &
	fi
	postgres_pid=$!
	pids+=("$postgres_pid")
	wait_for 30 postgres_sql 'SELECT 1' || give_up "PostgreSQL did not start: $(tail -n 1 "$work/postgres.log")"
}

# postgres_stop ends it at once, in the midst of everything.
postgres_stop() {
	kill -QUIT "$postgres_pid"
	wait "$postgres_pid" 2>/dev/null
}

# postgres_all sends a signal to the server and to all of its processes.
postgres_all() {
	# shellcheck disable=SC2046 # each is a word
	kill "-$1" "$postgres_pid" $(cat "/proc/$postgres_pid/task/$postgres_pid/children")
}

postgres_sql() { "$postgres_bin/psql" --quiet --host "$work/postgres" --username portal --dbname postgres --command "$1" >/dev/null 2>&1; }

postgres_url() { printf 'postgres:///%s?host=%s&user=portal' "$1" "$work/postgres"; }
