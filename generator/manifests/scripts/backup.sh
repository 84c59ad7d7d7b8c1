#!/bin/bash
# Dump, encrypt, store, forget what is too old. Fails loudly, and leaves nothing that looks complete.
. "${BASH_SOURCE[0]%/*}/store.sh"

# psql calls this while its transaction holds the snapshot that heads and rows are read from.
if [[ ${1:-} == dump ]]; then
  pg_dump --format=custom --lock-wait-timeout="$LOCK_TIMEOUT" --snapshot="$SNAPSHOT" |
    age -R "$here/recipients.txt" >"$SPOOL"
  touch "$WORK/dumped"
  exit
fi

ended() {
  local code=$?
  [[ -z ${SPOOL:-} ]] || rm -f "$SPOOL"
  metric backup.success $((code == 0))
  ((code == 0)) || echo "backup failed: ${reason:-see the lines above}" >&2
}
trap ended EXIT
trap 'exit 143' TERM INT

# What is too old, but never the newest KEEP_LAST, nor the newest that a drill has proven.
expire() {
  local listing cutoff yesterday proven kept=0 name file
  listing=$(store_list) || return 1
  printf -v cutoff '%(%Y%m%dT%H%M%SZ)T' $((EPOCHSECONDS - KEEP_DAYS * 86400))
  printf -v yesterday '%(%Y%m%dT%H%M%SZ)T' $((EPOCHSECONDS - 86400))
  proven=$(sed -nE 's/^(.*Z)\.proven\.json$/\1/p' <<<"$listing" | head -n 1)
  for name in $(complete "$listing"); do
    if ((++kept <= KEEP_LAST)) || [[ ! ${name##*-} < $cutoff || $name == "$proven" ]]; then continue; fi
    # Its .json first: cut off here, the rest is no backup any more.
    for file in "$name.json" "$name.proven.json" "$name.dump.age"; do
      if grep -qxF "$file" <<<"$listing"; then store_delete "$file" || return 1; fi
    done
    echo "deleted $name: older than $KEEP_DAYS days"
  done
  # What a killed run has left.
  listing=$(store_list) || return 1
  for file in $(grep -E '\.(dump\.age|part)$' <<<"$listing" || true); do
    name=${file#.}
    name=${name%%.dump.age*}
    name=${name%%.json*}
    if [[ ${name##*-} < $yesterday ]] && ! grep -qxF "$name.json" <<<"$listing"; then
      store_delete "$file" || return 1
      echo "deleted $file: its backup was never completed"
    fi
  done
}

taken=$EPOCHSECONDS
printf -v name '%s-%(%Y%m%dT%H%M%SZ)T' "$BACKUP_NAME" "$taken"
export SPOOL
SPOOL=$(store_spool "$name.dump.age")
rm -f "$WORK/dumped"
export PGOPTIONS="-c lock_timeout=$LOCK_TIMEOUT -c idle_in_transaction_session_timeout=0"
psql -XAtq -v ON_ERROR_STOP=1 -v here="$here" -v work="$WORK" >"$WORK/server" <<'SQL' ||
begin isolation level repeatable read read only;
select pg_export_snapshot() as snapshot \gset
\setenv SNAPSHOT :snapshot
select current_setting('server_version');
\o :work/heads
\i :here/heads.sql
\o :work/rows
\i :here/rows.sql
\o
\! bash "$SCRIPT" dump
SQL
  fail "cannot read the database $PGDATABASE at $PGHOST"
[[ -e $WORK/dumped ]] || fail "the dump is not complete"
[[ $(grep -c '^"alembic_version": ' "$WORK/heads") == 1 ]] ||
  fail "the database $PGDATABASE does not hold exactly one table alembic_version that $PGUSER can see"

sum=$(sha256sum <"$SPOOL")
bytes=$(stat -c %s "$SPOOL")
# No key: who has the key can tell from this whether it is the one.
manifest=$(store_spool "$name.json")
cat >"$manifest" <<JSON
{
  "format": 1,
  "name": "$name",
  "taken": $taken,
  "seconds": $((EPOCHSECONDS - taken)),
  "about": $ABOUT,
  "server": "$(head -n 1 "$WORK/server")",
  "sha256": "${sum%% *}",
  "bytes": $bytes,
  "fernet": "$(fingerprint "${FERNET_KEY%%,*}")",
  "heads": $(as_json "$WORK/heads"),
  "rows": $(as_json "$WORK/rows")
}
JSON
store_put "$name.dump.age" || fail "cannot store $name.dump.age"
store_put "$name.json" || fail "cannot store $name.json"
metric backup.completed "$taken"
metric backup.bytes "$bytes"
echo "stored $name: $bytes bytes in $((EPOCHSECONDS - taken)) s"
expire || fail "$name is stored, but what is too old could not be deleted"
