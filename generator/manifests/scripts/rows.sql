-- The rows of every table, counted.
select format(
  'select %L || count(*) from %I.%I',
  to_json(schemaname || '.' || tablename)::text || ': ', schemaname, tablename
)
from pg_tables
-- Temporary tables of other sessions (pg_temp_…) are in no dump.
where schemaname !~ '^(pg_|information_schema$)'
order by schemaname, tablename
\gexec
