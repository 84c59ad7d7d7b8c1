"""What a chart does with a key, derived from its archive."""

import json
from pathlib import Path

import pytest

from generator.chart.archive import pack
from generator.chart.chart import ChartError, read_chart
from generator.chart.traits import Reading
from generator.chart.traits_reader import MARKS, traits_of
from generator.chart.version import parse_version
from tests import chart_range
from tests.generator.chart import samples

READ, PARTLY, IGNORED, REFUSED = Reading

SCHEMA = """{"type": "object", "properties": {
  "closed": {"type": "object", "additionalProperties": false, "properties": {
    "text": {"type": "string"}, "list": {"type": "array", "items": {"$ref": "#/definitions/row"}}}},
  "open": {"type": "object", "properties": {"known": {"type": ["string", "null"]}}},
  "map": {"type": "object", "additionalProperties": {"$ref": "#/definitions/row"}},
  "annotations": {"type": "object"},
  "hosts": {"type": "array", "items": {"oneOf": [{"type": "string"},
    {"type": "object", "additionalProperties": false, "properties": {"name": {}}}]}},
  "workers": {"type": "object", "additionalProperties": false, "properties": {
    "resources": {"type": "object"}, "args": {"type": "array"},
    "keda": {"type": "object", "properties": {"enabled": {}, "labels": {}, "query": {}}},
    "celery": {"type": "object", "properties": {"replicas": {}}},
    "kubernetes": {"type": "object", "properties": {"command": {}}}}}},
 "definitions": {"row": {"type": "object", "additionalProperties": false,
   "properties": {"name": {"type": "string"}}}}}"""

MERGING = """{{ include "workersMergeValues" (list .Values.workers .Values.workers.celery) }}
{{ .Values.workers.keda.enabled }} {{ .Values.workers.keda.query }}
"""
PLAIN = """{{- /* .Values.commented.out */ -}}
{{ .Values.workers.keda.labels }} {{ .Values.workers.keda.enabled }} {{ .Values.open.secret }}
{{ .Values.workers.kubernetes.resources }}
{{ randAlphaNum 32 }} AIRFLOW__API__SECRET_KEY
"""
CHECKS = '{{- if semverCompare "<2.11.0" .Values.airflowVersion }}{{ required "no" nil }}{{ end }}'


def _chart(**changes):
    files = {
        **samples.FILES,
        "values.schema.json": SCHEMA,
        "values.yaml": samples.VALUES + "onlyInValues: {a: {b: 1}}\n",
        "templates/_helpers.yaml": '{{ define "workersMergeValues" }}{{ end }}',
        "templates/workers.yaml": MERGING,
        "templates/plain.yaml": PLAIN,
        "templates/check-values.yaml": CHECKS,
        "charts/postgresql/values.yaml": "auth: {username: a, annotations: {}}\n",
        **changes,
    }
    data = {path: text.encode() for path, text in files.items() if text is not None}
    return traits_of(read_chart(pack("airflow", data), Path("airflow.tgz"), official=False))


@pytest.mark.parametrize(
    ("key", "reading"),
    [
        ("closed.text", READ),
        ("closed.other", REFUSED),
        ("closed.text.below", REFUSED),
        ("closed.list[0].name", READ),
        ("closed.list[].other", REFUSED),
        ("closed.list.name", REFUSED),
        (("closed", "list", 3, "name"), READ),
        ("open.known", READ),
        ("open.other", IGNORED),
        ("open.secret", READ),
        ("open.secret.below", READ),
        ("map.any.name", READ),
        ("map.any.other", REFUSED),
        ("annotations.any", READ),
        ("hosts[*].name", READ),
        ("hosts[0].other", REFUSED),
        ("onlyInValues.a.b", READ),
        ("unheardOf", IGNORED),
        ("commented.out", IGNORED),
        ("global.any", READ),
        ("postgresql.enabled", READ),
        ("postgresql.auth.username", READ),
        ("postgresql.auth.annotations.any", READ),
        ("postgresql.auth.other", IGNORED),
        ("workers.celery.replicas", READ),
        ("workers.celery.resources", READ),
        ("workers.celery.args", READ),
        ("workers.celery.keda.query", READ),
        ("workers.celery.keda.enabled", PARTLY),
        ("workers.celery.keda.labels", IGNORED),
        ("workers.celery.keda", PARTLY),
        ("workers.celery.other", IGNORED),
        ("workers.kubernetes.command", READ),
        ("workers.kubernetes.resources", READ),
        ("workers.kubernetes.args", IGNORED),
    ],
)
def test_a_key_is_read_ignored_or_refused_as_schema_values_and_templates_say(key, reading):
    assert _chart().reading(key) is reading


def test_without_the_merge_an_undocumented_worker_key_is_ignored():
    chart = _chart(**{"templates/_helpers.yaml": "", "templates/workers.yaml": ""})
    assert not chart.merges_workers
    assert chart.reading("workers.celery.args") is IGNORED


def test_a_chart_without_a_schema_takes_any_key():
    chart = _chart(**{"values.schema.json": None})
    assert chart.reading("scheduler.any") is READ
    assert chart.known(("scheduler",)) == {"replicas"}


def test_what_the_templates_say_is_read_off_them():
    chart = _chart()
    assert chart.airflow_floor == (2, 11, 0)
    assert chart.marked("api-secret-key")
    assert not chart.marked("jwt-secret")
    assert "templates/plain.yaml" in chart.templates.random
    assert ("templates/secrets.yaml", "pre-install,pre-upgrade") in chart.templates.hooks
    assert chart.airflow == "3.2.2"
    assert chart.images == {"airflow": "apache/airflow:3.2.2"}


def test_a_broken_subchart_is_left_out_and_its_keys_are_taken():
    assert _chart(**{"charts/postgresql/values.yaml": "a: [\n"}).has("postgresql.any.key")


def _properties(depth):
    return {"type": "object", "properties": {"a": _properties(depth - 1)}} if depth else {}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"properties": [1]}}},
        {"properties": {"a": {"type": 7}}},
        {"properties": {"a": {"oneOf": 7}}},
        {"definitions": [1]},
        {"properties": {"a": _properties(400)}},
    ],
)
def test_a_schema_that_is_none_is_an_error_of_the_chart(schema):
    with pytest.raises(ChartError, match=r"values\.schema\.json is not a JSON Schema"):
        _chart(**{"values.schema.json": json.dumps(schema)})


def test_a_schema_may_refer_to_a_definition_for_a_subchart():
    row = {"type": "object", "properties": {"name": {}}}
    reference = {"$ref": "#/definitions/row"}
    schema = {"properties": {"postgresql": reference}, "definitions": {"row": row}}
    assert _chart(**{"values.schema.json": json.dumps(schema)}).has("postgresql.auth.username")


def test_comments_that_do_not_end_are_read_once():
    assert _chart(**{"templates/plain.yaml": "{{/*" * 200_000}).reading("open.secret") is IGNORED


@chart_range.each_version
def test_the_chart_reads_every_key_of_its_own_values(version):
    archive, traits = chart_range.archive(version), chart_range.traits(version)
    unread = [path for path in _leaves(archive.values(), ()) if not traits.has(path)]
    assert unread == []


@chart_range.each_version
def test_the_keys_are_those_that_somebody_else_took_down(version):
    facts, traits = _facts(), chart_range.traits(version)
    wrong = [
        (key, stands, traits.reading(key).value)
        for key, spans in facts["keys"].items()
        if not key.startswith(("postgresql", "config.")) and key not in _BELOW_A_FREE_MAP
        for stands in [_stands(version, [*spans["values"], *spans["schema"]])]
        if stands != traits.has(key) and not _merged(traits, key)
    ]
    assert wrong == []


@chart_range.each_version
def test_renamed_worker_keys_are_read_as_their_renders_showed(version):
    words = {"works": READ, "new key ignored": IGNORED, "new key works in part": PARTLY}
    wrong = [
        (row["new"], row["rendered"][version])
        for row in _facts()["renames"]
        if version in row.get("rendered", {}) and row["new"] not in _OTHERWISE
        if chart_range.traits(version).reading(row["new"]) is not words[row["rendered"][version]]
    ]
    assert wrong == []


# Schemas name no keys below these, so that any is taken; later versions name some.
_BELOW_A_FREE_MAP = {"dags.gitSync.env[].name", "dags.gitSync.env[].value"} | {
    f"dags.gitSync.livenessProbe.{key}"
    for key in ("failureThreshold", "initialDelaySeconds", "periodSeconds", "timeoutSeconds")
}
# The sections are read, but not in the shape of the old key (pod and container are below them);
# `config` is replaced whole, so that beside the default maxUnavailable it has no effect.
_OTHERWISE = {
    "workers.celery.securityContexts",
    "workers.kubernetes.securityContexts",
    "workers.celery.podDisruptionBudget.config.minAvailable",
}


def _merged(traits, key):
    return traits.merges_workers and key.startswith("workers.celery.")


def _facts():
    if not chart_range.FACTS:
        pytest.skip("needs GEN_ENV_CHART_FACTS: a folder with keys.json")
    return json.loads(Path(chart_range.FACTS, "keys.json").read_text())


def _stands(version, spans):
    own = parse_version(version)
    return any(parse_version(first) <= own <= parse_version(last) for first, last in spans)


def _leaves(values, path):
    for key, item in values.items():
        yield (*path, key)
        if isinstance(item, dict):
            yield from _leaves(item, (*path, key))


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("mark", "first", "last"),
    [
        ("api-secret-key", "1.18.0", "1.22.0"),
        ("jwt-secret", "1.17.0", "1.22.0"),
        ("jwt-checksum", "1.19.0", "1.22.0"),
        ("env-in-task-pods", "1.6.0", "1.19.0"),
        ("broker-url-command", "1.16.0", "1.22.0"),
        ("executor-differs", "1.10.0", "1.22.0"),
        ("old-postgresql-keys", "1.8.0", "1.22.0"),
        ("majors", "1.16.0", "1.22.0"),
        ("two-user-switches", "1.19.0", "1.19.0"),
    ],
)
def test_marks_stand_in_the_charts_that_have_what_they_stand_for(mark, first, last):
    assert mark in MARKS
    for version in chart_range.VERSIONS:
        expected = _stands(version, [(first, last)])
        assert chart_range.traits(version).marked(mark) is expected, version
