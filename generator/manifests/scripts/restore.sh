#!/bin/bash
# Restore a backup beside the database, and exchange the two only when it is whole.
. "${BASH_SOURCE[0]%/*}/store.sh"
target=$PGDATABASE
# PostgreSQL cuts names at 63 bytes: what is left must not be the name of the real one.
beside=${target:0:55}_restore
before=${target:0:40}_before_$(printf '%(%Y%m%d%H%M%S)T')
untouched="the database $target is as it was"
state=$untouched
# Nobody can rename the database that he is in.
PGDATABASE=postgres
[[ $target != postgres ]] || PGDATABASE=template1

ended() {
  local code=$?
  rm -f "$WORK/dump.age"
  if ((code)); then
    echo "restore failed: ${reason:-see the lines above}; $state" >&2
  fi
}
trap ended EXIT
trap 'exit 143' TERM INT
[[ $beside != "$target" ]] || fail "the database's name is that of a restore"
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
IFS=, read -ra keys <<<"${FERNET_KEY//[[:space:]]/}"
for key in "${keys[@]}"; do
  if [[ $(fingerprint "$key") == "$wanted" ]]; then known=1; fi
done
[[ -n $known ]] || fail "no present Fernet key is that of the backup ($wanted): nothing encrypted could be read"

exists=$(query -v target="$target" <<<"select count(*) from pg_database where datname = :'target'")
if [[ -z ${OWNER:-} && $exists == 1 ]]; then
  OWNER=$(query -d "$target" -c "select tableowner from pg_tables where tablename = 'alembic_version' limit 1")
fi
[[ -n ${OWNER:-} ]] || fail "who shall own the database is not known: set OWNER"
# What a run that was cut off has left carries a mark; what has none belongs to somebody else.
query -v beside="$beside" >"$WORK/mark" <<<"select shobj_description(oid, 'pg_database') is not distinct from 'gen-env restore' from pg_database where datname = :'beside'"
[[ $(<"$WORK/mark") != f ]] || fail "the database $beside exists, and no restore has made it: rename or drop it"
query -v beside="$beside" -v owner="$OWNER" 2>"$WORK/restore.err" <<'SQL' ||
drop database if exists :"beside";
create database :"beside" template template0 encoding 'UTF8' owner :"owner";
comment on database :"beside" is 'gen-env restore';
SQL
  fail "cannot create the database $beside: $(errors "$WORK/restore.err")"
restore -d "$beside" --role "$OWNER"
compare -d "$beside"

# All or nothing; refused while anybody is connected to one of the two.
state="whether the databases were exchanged is not known: if $before exists, they were"
query -v target="$target" -v beside="$beside" -v before="$before" -v exists="$exists" \
  2>"$WORK/restore.err" <<'SQL' ||
select :exists = 1 as replaces \gset
begin;
\if :replaces
alter database :"target" rename to :"before";
\endif
comment on database :"beside" is null;
alter database :"beside" rename to :"target";
commit;
SQL
  {
    # 3: the server refused a statement, and nothing was done; anything else may have been after it.
    (($? != 3)) || state=$untouched
    fail "cannot exchange the databases: $(errors "$WORK/restore.err")"
  }
state="but the restored database is $target now"
echo "restored $name into $target"
if [[ $exists == 1 ]]; then echo "what was there before is $before: drop it when it is not needed any more"; fi
