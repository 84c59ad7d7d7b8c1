"""Facts about Airflow's releases: options, what became of them, migrations of the database."""
