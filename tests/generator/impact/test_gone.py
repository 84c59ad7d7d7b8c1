import pytest

from generator.release.secret import SealedConnection
from generator.seal.sealed_secret import URI_PARTS
from tests.generator.impact.builders import (
    config,
    found,
    from_secret,
    manifest,
    scaler,
    sealed,
    secret,
    service,
    workload,
)

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BROKER = "AIRFLOW__CELERY__BROKER_URL"
OTHER = workload("other")


def account(name):
    return manifest("v1", "ServiceAccount", name)


def mounts(kind, **source):
    return workload("scheduler", volumes=[{"name": "v", kind: source}])


def ingress(port="http"):
    backend = {"service": {"name": "airflow-api", "port": {"name": port}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    return manifest("networking.k8s.io/v1", "Ingress", "i", spec={"rules": rules})


def claim(**metadata):
    return manifest("v1", "PersistentVolumeClaim", "c", metadata=metadata)


def binding():
    return manifest(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "b",
        roleRef={"kind": "Role", "name": "r"},
    )


REFERENCES = [
    (config({"a": "1"}, "c"), mounts("configMap", name="c"), "ConfigMap c"),
    (account("x"), workload("scheduler", serviceAccountName="x"), "new pods are not created"),
    (
        manifest("scheduling.k8s.io/v1", "PriorityClass", "high"),
        workload("scheduler", priorityClassName="high"),
        "new pods are not created",
    ),
    (claim(), mounts("persistentVolumeClaim", claimName="c"), "the next pods do not start"),
    (manifest("rbac.authorization.k8s.io/v1", "Role", "r"), binding(), "gives no rights"),
    (service("api"), ingress(), "Service airflow-api is removed"),
    (
        manifest("external-secrets.io/v1", "ExternalSecret", "s"),
        workload("scheduler", container_env=[from_secret("X", "s", "k")]),
        "Secret s is removed",
    ),
    (workload("worker"), scaler("worker", 1, 2), "it scales nothing"),
]


@pytest.mark.parametrize(("target", "user", "words"), REFERENCES)
def test_what_is_still_named_and_goes_away_is_an_error(target, user, words):
    (item,) = found([target, user, OTHER], [user, OTHER], "reference-gone")
    assert item.severity == "error" and words in item.message
    assert found([target, user, OTHER], [target, user, OTHER], "reference-gone") == []
    assert found([target, user, OTHER], [OTHER], "reference-gone") == []


def test_a_key_that_goes_away_is_named():
    pod = mounts("configMap", name="c", items=[{"key": "a", "path": "a"}])
    (item,) = found([config({"a": "", "b": ""}, "c"), pod], [config({"b": ""}, "c"), pod],
                    "reference-gone")  # fmt: skip
    assert "key a of ConfigMap c" in item.message
    reader = workload("scheduler", container_env=[from_secret("X", "s", "k")])
    (item,) = found([secret("s", k="v", o="w"), reader], [secret("s", o="w"), reader],
                    "reference-gone")  # fmt: skip
    assert "key k of Secret s" in item.message
    (item,) = found([service("api"), ingress()], [service("api", port="web"), ingress()],
                    "reference-gone")  # fmt: skip
    assert "port http of Service airflow-api" in item.message


def test_an_optional_reference_or_an_object_that_the_cluster_keeps_is_no_loss():
    optional = mounts("configMap", name="c", optional=True)
    assert found([config({}, "c"), optional], [optional], "reference-gone") == []
    kept = claim(annotations={"argocd.argoproj.io/sync-options": "Prune=false"})
    user = mounts("persistentVolumeClaim", claimName="c")
    assert found([kept, user], [user], "reference-gone") == []


def test_what_is_named_from_now_on_and_not_rendered_is_a_warning():
    head = workload("scheduler", serviceAccountName="elsewhere")
    (item,) = found([workload("scheduler")], [head], "reference-missing")
    assert item.severity == "warning" and "unless it exists in the cluster" in item.message
    assert found([head], [head], "reference-missing") == []
    built_in = workload("scheduler", priorityClassName="system-cluster-critical")
    assert found([workload("scheduler")], [built_in], "reference-missing") == []


def asks(variable, value):
    return workload("worker", container_env=[{"name": variable, "value": value}])


@pytest.mark.parametrize(
    "value",
    [
        "redis://:p@airflow-redis:6379/0",
        "redis://airflow-redis.airflow.svc.cluster.local/0",
        "airflow-redis:6379",
        "airflow-redis",
        "[celery]\nbroker = airflow-redis\n",
    ],
)
def test_a_service_that_a_setting_names_is_an_error_when_it_goes(value):
    user = asks("X", value)
    (item,) = found([service("redis"), user], [user], "service-gone")
    assert item.severity == "error" and "worker still names it" in item.message


@pytest.mark.parametrize(
    "value",
    [
        "redis://my-airflow-redis:6379",
        "airflow-redis.other:6379",
        "about airflow-redis and more",
        "https://example.com/airflow-redis",
    ],
)
def test_a_name_like_that_of_a_service_is_no_host(value):
    user = asks("X", value)
    assert found([service("redis"), user], [user], "service-gone") == []


def reads(variable):
    return workload("scheduler", container_env=[from_secret(variable, "db", "connection")])


def sealed_for(mark, cipher="Ag"):
    item = sealed("db", connection=cipher)
    item["metadata"]["annotations"] = {URI_PARTS: f"connection={mark}"}
    return item


def definition(host, server="pg:5432/airflow", mark="1", content="x"):
    return {"connections": (SealedConnection("db", "connection", host, server, mark, content),)}


POOLED = definition("airflow-pgbouncer.airflow:6543/airflow-metadata")
DIRECT = definition("pg:5432/airflow", mark="2", content="y")


def test_a_sealed_connection_that_leads_to_a_deleted_service_is_an_error():
    base, head = [service("pgbouncer"), reads(DATABASE)], [reads(DATABASE)]
    (item,) = found([*base, sealed_for("1")], [*head, sealed_for("1")], "service-gone",
                    POOLED, DIRECT)  # fmt: skip
    assert item.severity == "error" and "seal it again in the same change" in item.message
    assert found([*base, sealed_for("1")], [*head, sealed_for("2", "Bg")], "service-gone",
                 POOLED, DIRECT) == []  # fmt: skip


def test_a_connection_among_the_keys_of_a_whole_secret_counts():
    whole = workload("scheduler", container_envFrom=[{"secretRef": {"name": "db"}}])
    both = [whole, secret("db", **{DATABASE: "postgresql://u:p@airflow-pgbouncer:6543/a"})]
    (item,) = found([service("pgbouncer"), *both], both, "service-gone")
    assert item.severity == "error" and f"key {DATABASE} of Secret db" in item.message


def test_a_connection_that_cannot_be_seen_is_a_warning_when_a_store_goes():
    (item,) = found([service("redis"), reads(BROKER)], [reads(BROKER)], "service-gone")
    assert item.severity == "warning" and "cannot be seen" in item.message
    assert found([service("statsd"), reads(BROKER)], [reads(BROKER)], "service-gone") == []


def test_a_written_connection_elsewhere_is_no_loss():
    both = [reads(BROKER), secret("db", connection="redis://elsewhere/0")]
    assert found([service("redis"), *both], both, "service-gone") == []


def test_another_host_in_the_definition_has_no_effect_on_a_sealed_value():
    both = [reads(DATABASE), sealed_for("1")]
    old, new = definition("old", "old/db"), definition("new", "new/db", "2", "y")
    (item,) = found(both, both, "not-sealed-again", old, new)
    assert "no effect until it is sealed again" in item.message
    assert "still leads to old" in item.message
    assert found(both, both, "database", old, new) == []


def test_a_stub_has_no_effect_and_leads_nowhere_else():
    stub = sealed("db", connection="")
    both, old, new = [reads(DATABASE), stub], definition("old"), definition("new", content="y")
    (item,) = found(both, both, "not-sealed-again", old, new)
    assert "nothing is sealed there yet" in item.message
    base = [service("pgbouncer"), *both]
    (item,) = found(base, both, "service-gone", POOLED, DIRECT)
    assert item.severity == "error" and "was to lead to it, and nothing is sealed" in item.message


def test_other_pool_sizes_have_no_effect_on_a_sealed_value():
    both = [reads(DATABASE), sealed_for("1")]
    (item,) = found(both, both, "not-sealed-again", definition("h"), definition("h", content="y"))
    assert "pool sizes" in item.message
    again = [reads(DATABASE), sealed_for("1", "Bg")]
    assert (
        found(both, again, "not-sealed-again", definition("h"), definition("h", content="y")) == []
    )


def test_a_definition_that_follows_its_sealed_value_is_no_finding():
    both = [reads(DATABASE), sealed_for("2")]
    old, new = definition("old", "old/db"), definition("new", "new/db", "2", "y")
    assert found(both, both, "not-sealed-again", old, new) == []


def test_a_sealed_value_follows_in_each_form_that_the_definition_leaves_open():
    def outside(host, mark, *others):
        item = SealedConnection("db", "connection", host, host, mark, mark, frozenset(others))
        return {"connections": (item,)}

    old, new = outside("old", "1", "2", "3"), outside("new", "4", "5", "6")
    for mark, count in (("6", 0), ("4", 0), ("3", 1), ("1", 1), ("9", 1)):
        both = [reads(DATABASE), sealed_for(mark)]
        items = found(both, both, "not-sealed-again", old, new)
        assert len(items) == count
        assert ["still leads to old" in item.message for item in items] == [mark != "9"] * count


def test_a_connection_sealed_for_another_server_moves_the_database():
    old, new = definition("old/db", "old/db"), definition("new/db", "new/db", "2", "y")
    (item,) = found([reads(DATABASE), sealed_for("1")], [reads(DATABASE), sealed_for("2", "Bg")],
                    "database", old, new)  # fmt: skip
    assert item.severity == "error" and "from old/db to new/db" in item.message


def behind(server, mark):
    """A definition with PgBouncer, and what is sealed for its connection and its own file."""
    ini = SealedConnection("pool", "pgbouncer.ini", server, server, mark, mark)
    pooled = SealedConnection("db", "connection", "pooler", server, "1", "x")
    return {"connections": (pooled, ini)}


def pool_sealed(mark, value="Ag"):
    manifest = sealed("pool", **{"pgbouncer.ini": value})
    manifest["metadata"]["annotations"] = {URI_PARTS: f"pgbouncer.ini={mark}"}
    return manifest


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        ([sealed_for("2")], [sealed_for("1", "Bg"), pool_sealed("8")], []),
        ([sealed_for("1"), pool_sealed("8")], [sealed_for("1"), pool_sealed("8")], []),
        ([sealed_for("1"), pool_sealed("8")], [sealed_for("1"), pool_sealed("9", "Bg")],
         ["moves from pg:5432/airflow to new:5432/airflow"]),
        ([sealed_for("2")], [sealed_for("1", "Bg"), pool_sealed("7")], ["cannot be seen"]),
    ],
)  # fmt: skip
def test_a_pooler_between_moves_no_database_but_for_its_own_sealed_file(base, head, words):
    """The connection to the pooler stays the same whatever stands behind it."""
    old, new = behind("pg:5432/airflow", "8"), behind("new:5432/airflow", "9")
    old["connections"] += DIRECT["connections"] if base == [sealed_for("2")] else ()
    items = found([reads(DATABASE), *base], [reads(DATABASE), *head], "database", old, new)
    assert [word in item.message for word, item in zip(words, items, strict=True)] == [True] * len(
        words
    )


def test_a_database_that_runs_here_and_goes_away_is_an_error():
    base = [workload("postgresql", "StatefulSet"), workload("scheduler")]
    (item,) = found(base, [workload("scheduler")], "database")
    assert item.severity == "error" and "is removed" in item.message
    assert found(base, base, "database") == []


@pytest.mark.parametrize(
    ("variable", "rule"), [(DATABASE, "database"), ("AIRFLOW__CORE__FERNET_KEY", "fernet-key")]
)
def test_a_connection_or_key_that_pods_no_longer_read_is_an_error(variable, rule):
    (item,) = found([reads(variable)], [workload("scheduler")], rule)
    assert item.severity == "error" and "no longer read" in item.message
    command = workload("scheduler", container_env=[{"name": f"{variable}_CMD", "value": "cat x"}])
    assert found([reads(variable)], [command], rule) == []
