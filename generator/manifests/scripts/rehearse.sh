#!/bin/bash
# A server with the restored backup, for as long as a rehearsal needs it; reachable by a socket in
# $WORK alone. With $STDIN the dump comes from standard input, else it is the newest backup of the
# storage. Leaves `ready` or `failed` in $WORK, and ends when somebody leaves `done` there.
. "${BASH_SOURCE[0]%/*}/store.sh"
unset PGPASSWORD PGPORT PGSSLMODE
export PGHOST=$WORK PGUSER=rehearsal PGDATABASE=postgres

ended() {
  local code=$? free
  # A full disk has many messages; a segment of the write-ahead log takes 16 MB.
  free=$(df -m --output=avail "$WORK" | tail -n 1) || free=
  ((code == 0 || ${free:-99} >= 32)) || reason="${reason:-the server ended}; No space left: ${free// /} MB"
  if [[ -e $WORK/data/postmaster.pid ]]; then
    "$bin/pg_ctl" stop -D "$WORK/data" -m immediate >/dev/null 2>&1 || true
  fi
  # Errors in the server's log can quote rows.
  rm -rf "$WORK/data" "$WORK/dump.age" "$WORK/server.log"
  if ((code)); then
    touch "$WORK/failed" || true
    echo "rehearsal failed: ${reason:-see the lines above}" >&2
  fi
}
trap ended EXIT
trap 'exit 143' TERM INT

# A restore takes hours: when gen-env is gone, all that the session of this script runs is ended.
if [[ -n ${WATCHED:-} ]]; then
  (
    trap - EXIT TERM INT
    while [[ -e /proc/$WATCHED && -e /proc/$$ ]]; do sleep 0.5; done
    kill -TERM -- -$$
  ) </dev/null &
fi

query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# Run it; its last words are the reason. They are kept in no file, which a full disk would not take.
must() {
  local words what=$1
  shift
  words=$("$@" 2>&1 >/dev/null) || fail "$what: $(tail -n 3 <<<"$words" | tr '\n' ' ')"
}

bin=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1) || true
if [[ -z $bin ]]; then
  reason="no PostgreSQL server (initdb) found"
  exit 127
fi
bin=$(readlink -f "$bin")
bin=${bin%/*}
rm -rf "$WORK/data" "$WORK/ready" "$WORK/failed" "$WORK/done"
if [[ -z ${STDIN:-} ]]; then
  listing=$(store_list) || fail "cannot list the storage"
  name=$(complete "$listing")
  name=${name%%$'\n'*}
  [[ -n $name ]] || fail "the storage holds no complete backup of $BACKUP_NAME"
  fetch "$name"
fi
# Durable as a real server is: without fsync the times would be too good.
"$bin/initdb" -D "$WORK/data" -U rehearsal -A trust -E UTF8 --locale=C --no-sync >"$WORK/server.log" 2>&1 ||
  fail "initdb: $(errors "$WORK/server.log")"
"$bin/pg_ctl" start -w -D "$WORK/data" -l "$WORK/server.log" >/dev/null -o "-k '$WORK' -p 5432 \
  -c listen_addresses= -c max_wal_size=4GB -c log_min_error_statement=panic" ||
  fail "the server does not start: $(errors "$WORK/server.log")"
# Statements of the dump and of migrations run without the rights of a superuser, and no superuser
# enters their database: it can hold functions, and settings that have other sessions call them.
must "cannot create a database" query -c 'create role airflow login' \
  -c 'create database airflow owner airflow' -c 'create database empty owner airflow'
if [[ -n ${STDIN:-} ]]; then
  must "cannot restore" pg_restore --no-owner --no-acl --exit-on-error --single-transaction \
    -U airflow -d airflow
else
  check "$name"
  restore -U airflow -d airflow
  compare -U airflow -d airflow
fi
[[ $(query -U airflow -d airflow -c "select count(*) from pg_tables where tablename = 'alembic_version'") == 1 ]] ||
  fail "the dump holds no database of Airflow (alembic_version)"
must "cannot analyze" query -U airflow -d airflow -c 'analyze'
# Not as text: psql would run commands of the shell that a name in it holds.
copy_part() { pg_dump -Fc -U airflow "$@" airflow | pg_restore --no-owner --no-acl --exit-on-error -U airflow -d empty; }
copy_schema() { copy_part --schema-only && copy_part --data-only -t 'alembic_version*'; }
must "cannot copy the schema" copy_schema
# A server at rest, whose cache a fresh restore has filled.
must "cannot write everything down" query -c checkpoint
# In a pod another user runs Airflow; on a machine every other user could enter.
if [[ -z ${STDIN:-} ]]; then
  chmod a+rx "$WORK" 2>/dev/null || true
  chmod a+r "$WORK/manifest.json"
fi
touch "$WORK/ready"
while [[ ! -e $WORK/done ]]; do sleep 0.5; done
