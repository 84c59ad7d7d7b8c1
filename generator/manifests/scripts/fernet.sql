-- How many encrypted values there are, and how many of them the present Fernet keys decrypt.
-- A Fernet token is 0x80, time (8 bytes), iv (16), ciphertext (AES-128-CBC), HMAC-SHA256 (32) of all
-- before it; the first half of a key signs, the second encrypts (github.com/fernet/spec).
create schema gen_env_drill;
create extension pgcrypto schema gen_env_drill;
set search_path = public, gen_env_drill;
\set keys `printf %s "$FERNET_KEY"`
create temp table kept (token text);
select format('insert into kept select %I from %I.%I where %I and %I is not null and %I <> ''''',
  secret, schemaname, tablename, mark, secret, secret)
from pg_tables
join (values ('connection', 'password', 'is_encrypted'), ('connection', 'extra', 'is_extra_encrypted'),
  ('variable', 'val', 'is_encrypted')) as place (held, secret, mark) on held = tablename
where schemaname not in ('pg_catalog', 'information_schema')
\gexec
with keys as (
  select decode(translate(trim(item), '-_', '+/'), 'base64') as key
  from unnest(string_to_array(:'keys', ',')) as item
),
tokens as (
  select decode(translate(token, '-_', '+/'), 'base64') as raw
  from kept where token ~ '^gAAAA[A-Za-z0-9_-]+=*$' and length(token) % 4 = 0 and length(token) >= 100
),
signed as materialized (
  select raw, key from tokens join keys
    on hmac(substring(raw for length(raw) - 32), substring(key for 16), 'sha256')
      = substring(raw from length(raw) - 31)
),
opened as (
  select length(decrypt_iv(substring(raw from 26 for length(raw) - 57), substring(key from 17 for 16),
    substring(raw from 10 for 16), 'aes-cbc/pad:pkcs')) as size
  from signed
)
select (select count(*) from kept) || ' ' || (select count(*) from opened where size is not null);
