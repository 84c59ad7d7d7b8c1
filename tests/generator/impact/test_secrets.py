import base64

import pytest

from tests.generator.impact.builders import (
    airflow_cfg,
    found,
    from_secret,
    manifest,
    sealed,
    secret,
    service,
    workload,
)

POD = workload("scheduler", container_env=[from_secret("X", "s", "k")])


def needs(*uses, **pod):
    return workload("scheduler", container_env=list(uses), **pod)


def test_pods_that_lose_their_pull_secret_are_told():
    plain, named = manifest("v1", "ServiceAccount", "a"), [{"name": "registry"}]
    account = {**plain, "imagePullSecrets": named}
    works = [workload(name, serviceAccountName="a") for name in ("scheduler", "worker")]
    own = workload("scheduler", serviceAccountName="a", imagePullSecrets=named)
    (item,) = found([account, *works], [plain, *works], "pull-secret")
    assert "scheduler and worker no longer name registry" in item.message
    assert found([own, plain], [works[0], plain], "pull-secret")
    assert found([own, plain], [works[0], account], "pull-secret") == []
    (item,) = found([account, secret("registry", a="x"), *works], [account, *works],
                    "secret-pruned")  # fmt: skip
    assert item.severity == "error" and "scheduler and worker still need it" in item.message


def test_a_sealed_key_that_is_sealed_anew_is_told():
    (item,) = found([sealed("s", a="1", b="1", c="1")], [sealed("s", a="1", b="2", d="1")],
                    "secret-resealed")  # fmt: skip
    assert item.message.startswith("resealed: b; new: d; gone: c;")
    assert found([sealed("s", a="1")], [sealed("s", a="1")], "secret-resealed") == []


def test_a_plain_secret_tells_keys_and_no_values():
    (item,) = found([secret("s", a="one", b="x")], [secret("s", a="two", b="x")], "secret-changed")
    assert item.message == "changed: a"
    assert found([secret("s", a="1")], [secret("s", a="1")], "secret-changed") == []


def test_a_stub_is_an_error():
    (item,) = found([], [sealed("s", a="", b="Ag")], "secret-unsealed")
    assert item.message.startswith("a is still empty")
    assert found([], [sealed("s", a="Ag")], "secret-unsealed") == []


def missing(base, head, declared=()):
    facts = {"declared_secrets": frozenset(declared)} if declared is not None else {}
    return found(base, head, "secret-missing", facts, facts)


def test_a_secret_that_nobody_brings_is_an_error():
    (item,) = missing([], [POD])
    assert item.severity == "error"
    assert "the Secret that scheduler needs is neither in this render" in item.message
    assert str(item.resource) == "Secret airflow/s"


EXTERNAL = manifest("external-secrets.io/v1", "ExternalSecret", "e", spec={"target": {"name": "s"}})
CERTIFICATE = manifest("cert-manager.io/v1", "Certificate", "c", spec={"secretName": "s"})


@pytest.mark.parametrize(
    "provider",
    [secret("s", k="v"), sealed("s", k="Ag"), EXTERNAL, CERTIFICATE],
    ids=["Secret", "SealedSecret", "ExternalSecret", "Certificate"],
)
def test_a_secret_that_the_render_brings_is_not_missing(provider):
    assert missing([], [POD, provider]) == []


def test_a_declared_secret_is_not_missing():
    assert missing([], [POD], declared=["s"]) == []


def test_a_missing_key_is_told():
    (item,) = missing([], [POD, sealed("s", other="Ag")])
    assert item.message.startswith("key k of the Secret that scheduler needs")


def test_an_optional_reference_is_not_missing():
    entry = from_secret("X", "s", "k")
    entry["valueFrom"]["secretKeyRef"]["optional"] = True
    assert missing([], [needs(entry)]) == []


@pytest.mark.parametrize(
    "pod",
    [
        {"container_envFrom": [{"secretRef": {"name": "s"}}]},
        {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]},
        {"imagePullSecrets": [{"name": "s"}]},
        {"initContainers": [{"name": "i", "env": [from_secret("X", "s", "k")]}]},
    ],
)
def test_every_kind_of_reference_is_seen(pod):
    assert len(missing([], [workload("scheduler", **pod)])) == 1


def ingress(**metadata):
    spec = {"tls": [{"hosts": ["h"], "secretName": "tls"}], "rules": [{"host": "h"}]}
    return manifest("networking.k8s.io/v1", "Ingress", "i", metadata=metadata, spec=spec)


def test_a_certificate_is_needed_unless_its_issuer_is_named():
    assert "Ingress i needs" in missing([], [ingress()])[0].message
    assert missing([], [ingress(annotations={"cert-manager.io/issuer": "x"})]) == []


def test_what_was_missing_before_is_a_note():
    (item,) = missing([POD], [POD])
    assert item.severity == "info" and "already so" in item.message


def test_where_nothing_is_declared_only_new_references_are_told_as_notes():
    (item,) = missing([], [POD], declared=None)
    assert item.severity == "info"
    assert missing([POD], [POD], declared=None) == []


FERNET = "AIRFLOW__CORE__FERNET_KEY"
DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def fernet(name="s", key="k"):
    return needs(from_secret(FERNET, name, key))


def test_another_source_of_the_fernet_key_is_told():
    (item,) = found([fernet()], [fernet("t")], "fernet-key")
    assert "key k of t instead of key k of s" in item.message
    assert found([fernet()], [fernet()], "fernet-key") == []


def test_a_resealed_fernet_key_is_told():
    base, head = [fernet(), sealed("s", k="1")], [fernet(), sealed("s", k="2")]
    assert "sealed again" in found(base, head, "fernet-key")[0].message
    assert found([fernet(), sealed("s", k="1", o="1")], [fernet(), sealed("s", k="1", o="2")],
                 "fernet-key") == []  # fmt: skip


@pytest.mark.parametrize(("new", "severity"), [("other", "error"), ("other,0ld", "info")])
def test_a_replaced_fernet_key_is_an_error_and_a_rotated_one_a_note(new, severity):
    base, head = [fernet(), secret("s", k="0ld")], [fernet(), secret("s", k=new)]
    (item,) = found(base, head, "fernet-key")
    assert item.severity == severity and "0ld" not in item.message


def connection(url):
    encoded = base64.b64encode(url.encode()).decode()
    return [
        needs(from_secret(DATABASE, "s", "k")),
        manifest("v1", "Secret", "s", data={"k": encoded}),
    ]


def test_another_database_is_an_error_without_its_address():
    (item,) = found(connection("postgresql://u:p@one/db"), connection("postgresql://u:p@two/db"),
                    "database")  # fmt: skip
    assert item.severity == "error" and "two" not in item.message


POOLED = "postgresql://u:p@airflow-pgbouncer.airflow:6543/airflow-metadata"


def pooled(entry, service_name="pgbouncer"):
    ini = f"[databases]\nairflow-metadata = {entry} pool_size=10\n[pgbouncer]\nlisten_port = 6543\n"
    return [*connection(POOLED), service(service_name), secret("ini", **{"pgbouncer.ini": ini})]


DIRECT = connection("postgresql://u:p@pg:5432/db")


@pytest.mark.parametrize(
    ("base", "head", "severity"),
    [
        (DIRECT, pooled("host=pg.airflow dbname=db port=5432"), "info"),
        (pooled("host='pg.airflow' dbname = db"), DIRECT, "info"),
        (DIRECT, connection("postgresql://u:p@pg.airflow.svc.cluster.local/db"), "info"),
        (DIRECT, pooled("host=pg.airflow dbname=other port=5432"), "error"),
        (pooled("host=one dbname=db"), pooled("host=two dbname=db"), "error"),
        (DIRECT, [*connection(POOLED), service("pgbouncer")], "warning"),
        (pooled("host=pg dbname=db"), [*connection(POOLED), service("pgbouncer")], "warning"),
        (pooled("host=pg dbname=db"), pooled("host=pg dbname=db port=5432"), None),
    ],
)
def test_a_connection_is_followed_through_the_pooler_of_the_environment(base, head, severity):
    items = found(base, head, "database")
    assert [item.severity for item in items] == ([severity] if severity else [])


def test_another_password_is_a_note():
    (item,) = found(connection("postgresql://u:p@h/db"), connection("postgresql://u:q@h/db"),
                    "database")  # fmt: skip
    assert item.severity == "info"


def test_another_source_of_the_connection_is_told():
    moved = connection("postgresql://u:p@h/db")
    moved[0] = needs(from_secret(DATABASE, "t", "k"))
    moved[1]["metadata"]["name"] = "t"
    assert found(connection("postgresql://u:p@h/db"), moved, "database") == []
    base, head = [needs(from_secret(DATABASE, name, "k")) for name in ("s", "t")]
    assert "make sure that it is the same" in found([base], [head], "database")[0].message
    assert found([base], [base], "database") == []


def test_a_resealed_connection_is_told():
    pod = needs(from_secret(DATABASE, "s", "k"))
    assert found([pod, sealed("s", k="1")], [pod, sealed("s", k="2")], "database")


def test_another_declared_host_is_a_warning_where_the_connection_cannot_be_seen():
    (item,) = found([], [], "database", {"database_host": "one"}, {"database_host": "two"})
    assert item.severity == "warning" and "two instead of one" in item.message
    assert "cannot be seen" in item.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("postgresql://u:c4n4ry@one:5432/db", "postgresql://u:c4n4ry@two/db", "one:5432/db to two"),
        ("postgresql://u:c4n4ry/1@one/db", "postgresql://u:1/c4n4ry?@two/db", "one/db to two/db"),
        ("host=one password=c4n4ry", "postgresql://u:c4n4ry@two/db", "another place to two/db"),
    ],
)
def test_a_written_connection_is_told_without_credentials(old, new, words):
    cfg = "[database]\nsql_alchemy_conn = %s\n"
    (item,) = found([airflow_cfg(cfg % old)], [airflow_cfg(cfg % new)], "database")
    assert words in item.message and "c4n4ry" not in item.message
