"""Database connections by component."""

import pytest

from generator.model.environment import Environment
from generator.release import database_connections


def environment(version="3.2.2", executor="CeleryExecutor", config=None, env=None, **fields):
    airflow = {"version": version, "executor": executor, "config": config or {}, "env": env or {}}
    return Environment.model_validate(
        {
            "kind": "Environment",
            "apiVersion": "gen-env.dev/v1",
            "metadata": {"name": "etl"},
            "destination": {"cluster": "in-cluster"},
            "airflow": airflow,
            "chart": {"version": "1.22.0"},
            "database": {"host": "db.example.com"},
            "dags": {"image": {}},
            **fields,
        }
    )


of = database_connections.of_definition


def demands(env):
    return {
        demand.component: demand.per_pod for demand in database_connections.connections(of(env))
    }


def test_api_server_fills_the_pool_of_each_process():
    assert demands(environment())["apiServer"] == 15
    # Two pools of 15 and one of the parent process, as counted in a running 3.2.2.
    assert demands(environment(apiServer={"workers": 2}))["apiServer"] == 31


def test_renewal_runs_more_processes_for_a_while():
    env = environment(apiServer={"workers": 2, "workerRefresh": {"batchSize": 1}})
    assert demands(env)["apiServer"] == 46


def test_single_threaded_components_of_3_need_few():
    found = demands(environment())
    assert found == {
        "apiServer": 15,
        "scheduler": 3,
        "dagProcessor": 3,
        "triggerer": 3,
        "workers": 1,
    }


def test_pool_options_are_honoured():
    config = {"database": {"sql_alchemy_pool_size": "2", "sql_alchemy_max_overflow": "0"}}
    found = demands(environment(config=config))
    assert found["apiServer"] == 2
    assert found["scheduler"] == 2


def test_environment_variables_win_over_the_file():
    config = {"database": {"sql_alchemy_pool_size": "2"}}
    env = {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "7"}
    assert demands(environment(config=config, env=env))["apiServer"] == 17
    own = {"env": {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "1"}}
    assert demands(environment(config=config, env=env, apiServer=own))["apiServer"] == 11


@pytest.mark.parametrize(
    "options",
    [
        {"sql_alchemy_pool_enabled": "False"},
        {"sql_alchemy_max_overflow": "-1"},
        {"sql_alchemy_pool_size": "0"},
        {"sql_alchemy_pool_size": "500"},
    ],
)
def test_a_pool_without_limit_is_bounded_by_threads(options):
    assert demands(environment(config={"database": options}))["apiServer"] == 40


def test_an_option_that_is_no_number_counts_as_the_default():
    config = {"database": {"sql_alchemy_pool_size": "many"}}
    assert demands(environment(config=config))["apiServer"] == 15


def test_tasks_of_2_connect_themselves():
    local = environment("2.11.0", "LocalExecutor", config={"core": {"parallelism": "4"}})
    assert demands(local)["scheduler"] == 3 + 3 + 8
    celery = environment("2.11.0", workers={"concurrency": 6})
    assert demands(celery)["workers"] == 13
    assert demands(environment("2.11.0", "KubernetesExecutor"))["taskPods"] == 2


def test_webserver_of_2_has_four_processes_and_one_spare():
    assert demands(environment("2.11.0"))["apiServer"] == 5 * 2 + 1


def test_threaded_webserver_of_2_fills_its_pools():
    env = environment("2.11.0", config={"webserver": {"worker_class": "gthread", "workers": "1"}})
    assert demands(env)["apiServer"] == 2 * 15 + 1


def test_airflow_2_has_no_dag_processor_here():
    assert "dagProcessor" not in demands(environment("2.11.0"))


def test_task_pods_of_3_only_check_the_database():
    found = demands(environment(executor="CeleryExecutor,KubernetesExecutor"))
    assert found["workers"] == found["taskPods"] == 1


def test_result_backend_has_one_connection_per_process():
    found = database_connections.result_backend(of(environment(workers={"concurrency": 6})))
    assert [(d.component, d.per_pod) for d in found] == [("workers", 6), ("scheduler", 1)]
    assert database_connections.result_backend(of(environment(executor="LocalExecutor"))) == []


def test_every_number_says_why():
    for version in ("3.2.2", "2.11.0"):
        for demand in database_connections.connections(of(environment(version))):
            assert demand.why
            assert demand.per_pod > 0
