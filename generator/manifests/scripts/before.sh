#!/bin/bash
# A backup right before a migration. None if the database is empty, or has every revision of the
# image already; in doubt it is made.
. "${BASH_SOURCE[0]%/*}/store.sh"
query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
ended() {
  local code=$?
  ((code == 0)) || echo "no backup was made: ${reason:-see the lines above}" >&2
}
trap ended EXIT

tables=$(query -c "select count(*) from pg_tables where tablename = 'alembic_version'") ||
  fail "cannot read the database $PGDATABASE at $PGHOST"
if ((tables == 0)); then
  echo "no backup: the database $PGDATABASE holds no tables of Airflow that $PGUSER can see"
  exit
fi
if [[ -n ${EXPECTED_HEADS:-} ]]; then
  query -f "$here/heads.sql" >"$WORK/heads" || fail "cannot read the revisions of $PGDATABASE"
  same=$(query -v now="$(as_json "$WORK/heads")" -v image="$EXPECTED_HEADS" \
    <<<"select :'now'::jsonb = :'image'::jsonb") || fail "cannot compare the revisions of $PGDATABASE"
  if [[ $same == t ]]; then
    echo "no backup: $PGDATABASE has every revision of the image"
    exit
  fi
fi
trap - EXIT
exec bash "$here/backup.sh"
