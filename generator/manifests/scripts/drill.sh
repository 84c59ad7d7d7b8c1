#!/bin/bash
# Restore the newest backup into a server of this pod's own, and say whether it is good.
. "${BASH_SOURCE[0]%/*}/store.sh"
unset PGPASSWORD PGPORT PGSSLMODE
export PGHOST=$WORK PGUSER=drill PGDATABASE=postgres

name=
judged=
ended() {
  local code=$?
  if [[ -e $WORK/data/postmaster.pid ]]; then
    "$bin/pg_ctl" stop -D "$WORK/data" -m immediate >/dev/null 2>&1 || true
  fi
  rm -rf "$WORK/data" "$WORK/dump.age"
  metric restore_drill.success $((code == 0))
  if ((code)); then
    # A verdict, not an interruption: retention keeps what was proven.
    if [[ -n $judged && -n $reason ]]; then store_delete "$name.proven.json" >/dev/null 2>&1 || true; fi
    echo "drill failed${name:+ for $name}: ${reason:-see the lines above}" >&2
  fi
}
trap ended EXIT
trap 'exit 143' TERM INT

query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

bin=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1) || true
[[ -n $bin ]] || fail "the image has no PostgreSQL server (initdb)"
bin=${bin%/*}
started=$EPOCHSECONDS
listing=$(store_list) || fail "cannot list the storage"
# No pipe into head: with many backups it would end `complete`, and that the drill (pipefail).
name=$(complete "$listing")
name=${name%%$'\n'*}
[[ -n $name ]] || fail "the storage holds no complete backup of $BACKUP_NAME"
fetch "$name"

rm -rf "$WORK/data"
"$bin/initdb" -D "$WORK/data" -U drill -A trust -E UTF8 --locale=C --no-sync >"$WORK/server.log" 2>&1 ||
  fail "initdb: $(errors "$WORK/server.log")"
# Failing statements are not logged: one of them holds the Fernet key.
"$bin/pg_ctl" start -w -D "$WORK/data" -l "$WORK/server.log" >/dev/null -o "-k '$WORK' -p 5432 \
  -c listen_addresses= -c fsync=off -c full_page_writes=off -c log_min_error_statement=panic" ||
  fail "the server does not start: $(errors "$WORK/server.log")"

judged=1
check "$name"
taken=$(field taken)
# Bash's arithmetic would run a command in it.
[[ $taken =~ ^[1-9][0-9]{0,11}$ ]] || fail "$name.json has no valid time"
# Such a backup would stay the newest, and every later one unproven.
((taken <= EPOCHSECONDS + 3600)) || fail "the backup is of the future ($(((taken - EPOCHSECONDS) / 3600)) hours): a clock was or is wrong"
judged=
hours=$(((EPOCHSECONDS - taken) / 3600))
((EPOCHSECONDS - taken <= MAX_AGE)) || fail "the newest complete backup is $hours hours old"
judged=1

query -c 'create database airflow' 2>"$WORK/restore.err" ||
  fail "cannot create a database: $(errors "$WORK/restore.err")"
restore -d airflow
restored=$((EPOCHSECONDS - started))

compare -d airflow
unread=
if [[ -n ${EXPECTED_HEADS:-} ]]; then
  printf %s "$EXPECTED_HEADS" >"$WORK/expected.json"
  different=$(query -c "
    select string_agg(format('%s is %s, the image has %s', key, coalesce(now.value, 'null'), want.value), '; ')
    from jsonb_each(pg_read_file('$WORK/expected.json')::jsonb) as want
    left join jsonb_each(pg_read_file('$WORK/heads.json')::jsonb) as now using (key)
    where now.value is distinct from want.value
    -- What only the image has, its migration makes.
    and (now.value is not null or key = 'alembic_version')") || fail "cannot compare the revisions"
  [[ -z $different ]] || fail "the backup is of another schema: $different"
  unknown=$(query -c "
    select string_agg(now, ', ' order by now)
    from jsonb_object_keys(pg_read_file('$WORK/heads.json')::jsonb) as now
    where not pg_read_file('$WORK/expected.json')::jsonb ? now") || fail "cannot compare the revisions"
  [[ -z $unknown ]] || unread="heads of the image for $unknown (not known); "
else
  unread="heads of the image (not known); "
fi

counted=$(query -d airflow -f "$here/fernet.sql" 2>"$WORK/fernet.err") ||
  fail "cannot try the Fernet key: it is not one, or the image has no pgcrypto"
read -r values opened <<<"$counted"
if ((values && !opened)); then
  fail "the present Fernet key decrypts none of $values encrypted values"
elif ((values == 0)); then
  [[ $(fingerprint "${FERNET_KEY%%,*}") == "$(field fernet)" ]] || fail "the present Fernet key is not that of the backup"
  unread+="decryption (no value is encrypted); "
fi

cat >"$(store_spool "$name.proven.json")" <<JSON
{
  "format": 1,
  "name": "$name",
  "proven": $EPOCHSECONDS,
  "restoreSeconds": $restored,
  "encrypted": $values,
  "decrypted": $opened,
  "unread": "$unread"
}
JSON
store_put "$name.proven.json" || fail "the backup is good, but the verdict could not be stored"
metric restore_drill.proven "$taken"
metric restore_drill.seconds "$restored"
echo "proven $name: restored in $restored s, $opened of $values encrypted values decrypt${unread:+; not looked at: ${unread%; }}"
