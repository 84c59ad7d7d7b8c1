"""Steps of chart keys, text of definitions, secrets found and moved: the small parts."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.adoption import plaintext_secrets, simplify, text
from generator.helmvalues.values import ValuesInput, merged
from generator.kube.resource import without_none
from generator.release.adopted_settings import step_of, with_switches
from generator.release.v1.deprecated import RENAMED
from generator.yaml import reader
from generator.yaml.scalars import as_helm


def values(user, defaults=None, **more):
    defaults = defaults or {}
    return ValuesInput(user, merged(defaults, user), "1.22.0", defaults=defaults, **more)


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("enableServiceLinks", "housekeeping"),
        ("scheduler.resources", "resources"),
        ("migrateDatabaseJob.resources", "resources"),
        ("migrateDatabaseJob.useHelmHooks", "hooks"),
        ("apiServer.podDisruptionBudget.config", "availability"),
        ("images.airflow.tag", "image"),
        ("workers.celery.keda.enabled", "scaling"),
        ("migrateDatabaseJob.serviceAccount.annotations", "identity"),
        ("config.core.parallelism", "config"),
        ("redis.annotations", "guards"),
        ("redis.persistence.annotations", "storage"),
        ("dags.gitSync.securityContexts.container", "contexts"),
        ("data.metadataSecretName", "secrets"),
        ("networkPolicies.enabled", "network"),
        ("triggerer.persistence.enabled", "storage"),
        ("useStandardNaming", "naming"),
        ("statsd.enabled", "rest"),
    ],
)
def test_each_chart_key_waits_for_one_step(key, step):
    assert step_of(tuple(key.split("."))) == step


def test_what_runs_counts_the_charts_own_switches():
    assert with_switches({"redis": {"enabled": False}})["redis"] == {"enabled": False}
    assert with_switches({})["postgresql"] == {"enabled": True}


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=20), st.just("a\nb\n")
)
TREES = st.dictionaries(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9./-]{0,8}", fullmatch=True),
    st.recursive(
        SCALARS,
        lambda below: st.one_of(
            st.lists(below, max_size=3),
            st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), below, max_size=3),
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@pytest.mark.thorough
@given(TREES)
def test_the_rest_is_read_back_to_the_type(rest):
    written = text.definition("dev", {"kind": "Environment"}, rest, ["v.yaml"])
    data = reader.read(written, "x").data
    found, ambiguous = as_helm(data.get("values") or {})
    assert simplify.same(found, rest)
    assert ambiguous == []


def test_fields_stand_on_one_line_while_there_is_room():
    data = {"metadata": {"name": "dev"}, "airflow": {"version": "3.2.2", "config": {"a": {}}}}
    long = {"dags": {"gitSync": {"repository": "https://example.com/" + "x" * 90}}}
    lines = text.definition("dev", data | long, {}, ["v.yaml"]).splitlines()
    assert "metadata: {name: dev}" in lines
    assert "airflow: {version: 3.2.2, config: {a: {}}}" in lines
    assert yaml.safe_load("\n".join(lines)) == data | long


def test_pruned_says_the_same_over_the_defaults():
    defaults = {"a": {"b": 1, "c": [1]}, "d": None, "e": True}
    user = {"a": {"b": 1, "c": [2]}, "d": None, "e": 1, "f": {}}
    left = simplify.pruned(user, defaults)
    assert left == {"a": {"c": [2]}, "e": 1, "f": {}}
    # A template cannot tell a key that is null from one that is not there.
    over = (without_none(merged(defaults, each)) for each in (left, user))
    assert simplify.same(*over)


def test_old_worker_keys_move_unless_the_new_one_is_written():
    assert simplify.renamed({"workers": {"replicas": 2}}, RENAMED) == {
        "workers": {"celery": {"replicas": 2}}
    }
    both = {"workers": {"replicas": 2, "celery": {"replicas": 3}}}
    assert simplify.renamed(both, RENAMED) == both


def test_a_moved_secret_is_named_as_the_chart_names_it():
    user = {
        "data": {"metadataConnection": {"pass": "x", "host": "h"}},
        "pgbouncer": {"enabled": True},
    }
    seen = values(user, release="af")
    found = plaintext_secrets.found(seen)
    assert [item.key for item in found] == ["data.metadataConnection.pass"]
    moved = plaintext_secrets.moved(seen, found)
    assert moved["data"] == {
        "metadataConnection": {"host": "h"},
        "metadataSecretName": "af-metadata",
    }
    assert moved["pgbouncer"]["configSecretName"] == "af-pgbouncer-config"


@pytest.mark.parametrize(
    "user",
    [
        {"env": [{"name": "GREETING", "value": "hello"}]},
        {"extraEnv": "- name: API_TOKEN\n  valueFrom: {secretKeyRef: {name: a, key: b}}\n"},
        {"config": {"core": {"a": "https://example.com/x"}}},
        {"fernetKey": "{{ .Values.global.key }}"},
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(user):
    assert plaintext_secrets.found(values(user)) == ()
