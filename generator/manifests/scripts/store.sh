# Shared by backup.sh, drill.sh and restore.sh (bash, coreutils): where backups are, and how a run ends.
#
# A backup is <name>.dump.age and <name>.json. The second is written last: what has no .json is not
# a backup. <name>.proven.json is added by a drill that went well.
set -euo pipefail
umask 077
export LC_ALL=C TZ=UTC

here=${BASH_SOURCE[0]%/*}
reason=

# End the run; the reason is its last line.
fail() {
  reason=$*
  exit 1
}

# UDP: whether it arrived is not known.
metric() {
  [[ -n ${STATSD_HOST:-} ]] || return 0
  { printf 'airflow.%s:%s|g' "$1" "$2" >"/dev/udp/$STATSD_HOST/$STATSD_PORT"; } 2>/dev/null ||
    echo "metric $1: cannot send to $STATSD_HOST:$STATSD_PORT" >&2
}

# The last lines of a program's errors, as one.
errors() { tail -n 3 "$1" 2>/dev/null | tr '\n' ' '; }

# Where a file is written before store_put; in a volume its name is hidden until it is complete.
store_spool() {
  if [[ -n ${BACKUP_FOLDER:-} ]]; then echo "$BACKUP_FOLDER/.$1.part"; else echo "$WORK/$1"; fi
}

store_put() {
  local spool
  spool=$(store_spool "$1")
  if [[ -n ${BACKUP_FOLDER:-} ]]; then
    sync "$spool" && mv "$spool" "$BACKUP_FOLDER/$1" && sync "$BACKUP_FOLDER"
  else
    rclone copyto "$spool" "store:$BACKUP_REMOTE/$1" && rm -f "$spool"
  fi
}

store_get() {
  if [[ -n ${BACKUP_FOLDER:-} ]]; then cp "$BACKUP_FOLDER/$1" "$2"; else
    rclone copyto "store:$BACKUP_REMOTE/$1" "$2"
  fi
}

store_delete() {
  if [[ -n ${BACKUP_FOLDER:-} ]]; then rm -f "$BACKUP_FOLDER/$1"; else
    rclone deletefile "store:$BACKUP_REMOTE/$1"
  fi
}

# `set -e` does not hold where the caller goes on with `|| fail`: functions return by themselves.

# Names of this environment's files, newest first; no other file is ever touched.
store_list() {
  local all
  if [[ -n ${BACKUP_FOLDER:-} ]]; then all=$(ls -1A "$BACKUP_FOLDER") || return 1; else
    all=$(rclone lsf --files-only "store:$BACKUP_REMOTE") || return 1
  fi
  grep -E "^\.?${BACKUP_NAME//./\\.}-[0-9]{8}T[0-9]{6}Z\." <<<"$all" | sort -r || true
}

# Names of complete backups, newest first.
complete() { sed -nE 's/^(.*Z)\.json$/\1/p' <<<"$1"; }

# Lines of `"key": value` as one JSON object.
as_json() { printf '{%s}' "$(paste -sd, "$1")"; }

# One value of the manifest in $WORK; any server of PostgreSQL reads JSON.
field() {
  psql -XAtq -v ON_ERROR_STOP=1 <<SQL
\set manifest \`cat "\$WORK/manifest.json"\`
select :'manifest'::jsonb->>'$1';
SQL
}

# What of `heads` or `rows` is not as the manifest says.
differences() {
  psql -XAtq -v ON_ERROR_STOP=1 <<SQL
\set manifest \`cat "\$WORK/manifest.json"\`
\set now \`cat "\$WORK/$1.json"\`
select string_agg(format('%s is %s, was %s', key, now.value, was.value), '; ' order by key)
from jsonb_each(:'now'::jsonb) as now
full join jsonb_each(:'manifest'::jsonb->'$1') as was using (key)
where now.value is distinct from was.value;
SQL
}

# A complete backup with its manifest into $WORK.
fetch() {
  store_get "$1.json" "$WORK/manifest.json" || fail "cannot read $1.json"
  store_get "$1.dump.age" "$WORK/dump.age" || fail "cannot read $1.dump.age"
}

# Whether what was fetched is what was stored.
check() {
  local format sum
  format=$(field format 2>/dev/null) || fail "$1.json is not a manifest"
  [[ $format == 1 ]] || fail "$1.json has format '$format', and this script knows 1"
  [[ $(field name) == "$1" ]] || fail "$1.json is the manifest of '$(field name)'"
  sum=$(sha256sum <"$WORK/dump.age")
  [[ ${sum%% *} == "$(field sha256)" ]] ||
    fail "$1.dump.age is not what was stored: $(stat -c %s "$WORK/dump.age") of $(field bytes) bytes"
}

# Into an empty database, in one transaction: all of it or nothing.
restore() {
  local codes
  age --decrypt -i "$IDENTITY" "$WORK/dump.age" 2>"$WORK/age.err" |
    pg_restore --no-owner --no-acl --exit-on-error --single-transaction "$@" 2>"$WORK/restore.err" || {
    codes=("${PIPESTATUS[@]}")
    # A full disk ends pg_restore first, and age then has nobody to write to (141: SIGPIPE).
    if ((codes[0] && codes[0] != 141)) && ! grep -q 'pipe' "$WORK/age.err"; then fail "cannot decrypt: $(errors "$WORK/age.err")"; fi
    fail "cannot restore: $(errors "$WORK/restore.err")"
  }
}

# Compare a restored database with the manifest.
compare() {
  local part different
  describe "$@" || fail "cannot read the restored database"
  for part in heads rows; do
    different=$(differences "$part") || fail "cannot compare $part"
    [[ -z $different ]] || fail "$part differ from those of the backup: $different"
  done
}

# The fingerprint of a Fernet key; never the key.
fingerprint() {
  local sum
  # A Secret made from a file may end with a line end, which Airflow ignores.
  sum=$(printf 'gen-env fernet check\0%s' "${1//[[:space:]]/}" | sha256sum)
  echo "${sum:0:12}"
}

# What a database holds, into $WORK/heads.json and $WORK/rows.json.
describe() {
  local part
  for part in heads rows; do
    psql -XAtq -v ON_ERROR_STOP=1 "$@" -f "$here/$part.sql" >"$WORK/$part" || return 1
    as_json "$WORK/$part" >"$WORK/$part.json"
  done
}
