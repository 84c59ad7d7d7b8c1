"""A database of a real Airflow 3.1.8 with runs and task instances made by SQL, as a dump."""

import json
import os
import subprocess

from generator.airflow.managers import FAB_AUTH
from tests.generator.airflow import installed

OLD = "3.1.8"
_ROWS = """
insert into dag_bundle (name, active) values ('dags', true);
insert into dag (dag_id, bundle_name, is_paused, is_stale, max_active_tasks, max_active_runs,
    max_consecutive_failed_dag_runs, has_task_concurrency_limits)
  select 'dag_' || d, 'dags', false, false, 16, 16, 0, false from generate_series(1, 50) d;
insert into dag_version (id, version_number, dag_id, bundle_name, created_at, last_updated)
  select gen_random_uuid(), 1, dag_id, 'dags', now(), now() from dag;
insert into dag_run (dag_id, run_id, logical_date, start_date, end_date, run_after, state, run_type,
    conf, log_template_id, created_dag_version_id)
  select 'dag_' || (1 + n %% 50), 'scheduled__' || n, at, at, at + interval '1 min', at, 'success',
    'scheduled', '{}', 1, v.id
  from generate_series(1, %(runs)s) n,
    lateral (select timestamptz '2020-01-01' + n * interval '1 min' as at) as t,
    lateral (select id from dag_version where dag_id = 'dag_' || (1 + n %% 50)) as v;
insert into task_instance (id, task_id, dag_id, run_id, start_date, end_date, duration, state,
    try_number, max_tries, hostname, unixname, pool, pool_slots, queue, priority_weight, operator,
    task_display_name, updated_at, dag_version_id)
  select gen_random_uuid(), 'task_' || t, dag_id, run_id, start_date, end_date, 60, 'success', 1, 0,
    'worker-0.worker.airflow.svc.cluster.local', 'airflow', 'default_pool', 1, 'default', 1,
    'BashOperator', 'task_' || t, end_date, created_dag_version_id
  from dag_run, generate_series(1, 4) t;
"""


def fill(url, home, runs):
    """Airflow's own tables with that many runs, and four task instances in each."""
    import psycopg

    airflow(installed.python_of(OLD), url, home, "db", "migrate")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_ROWS.replace("%(runs)s", str(int(runs))).replace("%%", "%"))
        connection.execute("vacuum analyze")


def airflow(python, url, home, *command):
    """A command of a real Airflow on a database."""
    environment = {
        "AIRFLOW_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace("://", "+psycopg2://", 1),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__AUTH_MANAGER": FAB_AUTH,
    }  # fmt: skip
    subprocess.run([python.parent / "airflow", *command], env=environment, check=True,
                   capture_output=True, timeout=600)  # fmt: skip


def dump(url, place):
    """As a backup makes it."""
    subprocess.run(["pg_dump", "-Fc", "--no-owner", "-f", place, url], check=True, timeout=600)


def manifest(place, runs):
    """What stands beside it: rows of a production, as a backup's manifest has them."""
    rows = {"public.dag_run": runs, "public.task_instance": 4 * runs}
    place.write_text(json.dumps({"format": 1, "rows": rows}))
