from decimal import Decimal

import pytest

from generator.impact.rules.capacity import requests
from generator.kube.quantity import cores, quantity, size
from generator.kube.workload import workloads
from tests.generator.impact.builders import airflow_cfg, found, manifest, scaler, secret, workload


def asks(cpu, memory="1Gi", replicas=1, component="worker", **rest):
    resources = {"requests": {"cpu": cpu, "memory": memory}}
    return workload(component, replicas=replicas, container_resources=resources, **rest)


def test_the_sum_of_requests_is_told():
    (item,) = found([asks("1")], [asks("1", replicas=3)], "capacity")
    assert item.message == "requests: 1 CPU and 1 GiB → 3 CPU and 3 GiB"
    assert item.severity == "warning"


def test_less_capacity_is_only_a_note():
    assert found([asks("2")], [asks("1")], "capacity")[0].severity == "info"


def test_an_equal_sum_is_not_told():
    assert found([asks("1000m")], [asks("1", image="r/airflow:2")], "capacity") == []


def test_autoscaling_is_told_at_its_maximum():
    base, head = [asks("1"), scaler("worker", 1, 4)], [asks("1"), scaler("worker", 1, 10)]
    (item,) = found(base, head, "capacity")
    assert "with autoscaling at its maximum 4 CPU and 4 GiB → 10 CPU and 10 GiB" in item.message


def test_init_containers_count_by_their_largest_and_sidecars_with_the_rest():
    pod = asks(
        "1",
        initContainers=[
            {"name": "i", "resources": {"requests": {"cpu": "3"}}},
            {"name": "s", "restartPolicy": "Always", "resources": {"limits": {"memory": "1Gi"}}},
        ],
        overhead={"cpu": "250m"},
    )
    from generator.kube.resource import key_of

    (work,) = workloads({key_of(pod, "a"): pod})
    assert str(requests(work)) == "3.25 CPU and 2 GiB"


def quota(**hard):
    return manifest("v1", "ResourceQuota", "q", spec={"hard": hard})


def test_a_quota_that_is_too_small_is_an_error():
    head = [asks("3"), quota(**{"requests.cpu": "2", "requests.memory": "8Gi"})]
    (item,) = found([], head, "quota")
    assert "pods request up to 3 cpu, but the quota allows 2" in item.message
    assert found([], [asks("3"), quota(cpu="4")], "quota") == []
    three = workload("worker", replicas=3)
    (item,) = found([], [three, quota(pods="2")], "quota")
    assert "up to 3 pods run, but the quota allows 2" in item.message
    assert found([], [three, quota(pods="3")], "quota") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", "0.5"), ("4Gi", 4 * 1024**3), ("1e3", 1000), (2, 2), ("0.1Ti", "109951162777.6")],
)
def test_quantities(text, number):
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("junk", ["", "x", None, True, "4Xi", [], "1e99999", "9" * 400])
def test_what_is_no_quantity(junk):
    assert quantity(junk) is None


def test_numbers_in_words():
    assert (cores(Decimal("2.50")), cores(Decimal(100))) == ("2.5", "100")
    assert (size(Decimal(1536 * 1024**2)), size(Decimal(12))) == ("1.5 GiB", "12 B")


LIMIT = {"connection_limit": 100}


def connected(base, head, limit=100):
    facts = {"connection_limit": limit}
    return found(base, head, "database-connections", facts, facts)


@pytest.mark.parametrize(("replicas", "severity"), [(2, "info"), (6, "warning"), (8, "error")])
def test_connections_are_held_against_the_limit(replicas, severity):
    head = [workload("api-server", replicas=replicas)]
    (item,) = connected([workload("api-server")], head)
    assert item.severity == severity
    assert f"up to {replicas * 15} database connections (before: 15)" in item.message


def test_connections_that_stay_are_not_told():
    both = [workload("api-server", replicas=9)]
    assert connected(both, both) == []
    assert found([], both, "database-connections") == []


def test_pool_settings_count():
    cfg = airflow_cfg("[database]\nsql_alchemy_pool_size = 1\nsql_alchemy_max_overflow = 1\n")
    (item,) = connected([], [workload("triggerer", replicas=3), cfg])
    assert "up to 6 database" in item.message
    own = [{"name": "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW", "value": "0"}]
    (item,) = connected([], [workload("triggerer", replicas=3, container_env=own), cfg])
    assert "up to 3 database" in item.message


def test_workers_and_schedulers_count_their_processes():
    """Tasks of Airflow 3 ask the API server, those of Airflow 2 the database."""
    cfg = airflow_cfg("[core]\nexecutor = LocalExecutor\nparallelism = 3\n")
    assert "up to 3 database" in connected([], [workload("scheduler"), cfg])[0].message
    two = workload("scheduler", image="r/airflow:2.11.0")
    assert "up to 12 database" in connected([], [two, cfg])[0].message
    args = ["bash", "-c", "exec airflow celery worker --concurrency 4"]
    (item,) = connected([], [workload("worker", container_args=args)])
    assert "up to 5 database" in item.message  # 4 of them Celery's results


def test_behind_pgbouncer_its_pools_count():
    ini = "[databases]\na = host=h pool_size=10\nb = host=h pool_size=5\n[pgbouncer]\n"
    pooler = workload("pgbouncer", replicas=2)
    head = [workload("api-server", replicas=99), pooler, secret("c", **{"pgbouncer.ini": ini})]
    assert "up to 30 database" in connected([], head)[0].message
    assert connected([], [workload("api-server", replicas=99), pooler]) == []
