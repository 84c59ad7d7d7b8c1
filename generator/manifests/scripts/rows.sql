-- The rows of every table, counted.
select format(
  'select %L || count(*) from %I.%I',
  to_json(schemaname || '.' || tablename)::text || ': ', schemaname, tablename
)
from pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
order by schemaname, tablename
\gexec
