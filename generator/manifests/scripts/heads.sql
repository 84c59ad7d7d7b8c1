-- The revisions of Airflow and its providers, a line for each table that holds them.
select format(
  'select %L || coalesce(json_agg(version_num order by version_num)::text, ''[]'') from %I.%I',
  to_json(tablename)::text || ': ', schemaname, tablename
)
from pg_tables
where tablename like 'alembic\_version%' and schemaname !~ '^(pg_|information_schema$)'
order by tablename, schemaname
\gexec
