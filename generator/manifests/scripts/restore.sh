#!/bin/bash
# Restore a backup beside the database, and exchange the two only when it is whole.
. "${BASH_SOURCE[0]%/*}/store.sh"
target=$PGDATABASE
beside=${target}_restore
# Nobody can rename the database that he is in.
PGDATABASE=postgres
[[ $target != postgres ]] || PGDATABASE=template1

ended() {
  local code=$?
  rm -f "$WORK/dump.age"
  if ((code)); then
    echo "restore failed: ${reason:-see the lines above}; the database $target is as it was" >&2
  fi
}
trap ended EXIT
trap 'exit 143' TERM INT
query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

listing=$(store_list) || fail "cannot list the storage"
name=
for item in $(complete "$listing"); do
  if [[ -z $AT || ! ${item##*-} > $AT ]]; then
    name=$item
    break
  fi
done
[[ -n $name ]] || fail "the storage holds no complete backup of $BACKUP_NAME${AT:+ of $AT or before}"
echo "restoring $name"
fetch "$name"
query -c 'select 1' >/dev/null 2>"$WORK/restore.err" || fail "cannot connect: $(errors "$WORK/restore.err")"
check "$name"

head=$(psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
\set manifest `cat "$WORK/manifest.json"`
select :'manifest'::jsonb->'heads'->'alembic_version'->>0;
SQL
)
if [[ -z ${ACCEPTED_HEADS:-} ]]; then
  echo "not looked at: whether the image's Airflow knows the schema $head"
elif [[ " $ACCEPTED_HEADS " != *" $head "* ]]; then
  fail "the backup has the schema $head, which the image's Airflow does not know"
fi
wanted=$(field fernet)
known=
IFS=, read -ra keys <<<"$FERNET_KEY"
for key in "${keys[@]}"; do
  if [[ $(fingerprint "$key") == "$wanted" ]]; then known=1; fi
done
[[ -n $known ]] || fail "no present Fernet key is that of the backup ($wanted): nothing encrypted could be read"

exists=$(query -v target="$target" <<<"select count(*) from pg_database where datname = :'target'")
if [[ -z ${OWNER:-} && $exists == 1 ]]; then
  OWNER=$(query -d "$target" -c "select tableowner from pg_tables where tablename = 'alembic_version' limit 1")
fi
[[ -n ${OWNER:-} ]] || fail "who shall own the database is not known: set OWNER"
# Left by a run that was cut off.
query -v beside="$beside" -v owner="$OWNER" 2>"$WORK/restore.err" <<'SQL' ||
drop database if exists :"beside";
create database :"beside" template template0 encoding 'UTF8' owner :"owner";
SQL
  fail "cannot create the database $beside: $(errors "$WORK/restore.err")"
restore -d "$beside" --role "$OWNER"
compare -d "$beside"

# All or nothing; refused while anybody is connected to one of the two.
before=${target}_before_$(printf '%(%Y%m%d%H%M%S)T')
query -v target="$target" -v beside="$beside" -v before="$before" -v exists="$exists" \
  2>"$WORK/restore.err" <<'SQL' ||
select :exists = 1 as replaces \gset
begin;
\if :replaces
alter database :"target" rename to :"before";
\endif
alter database :"beside" rename to :"target";
commit;
SQL
  fail "cannot exchange the databases: $(errors "$WORK/restore.err")"
echo "restored $name into $target"
if [[ $exists == 1 ]]; then echo "what was there before is $before: drop it when it is not needed any more"; fi
