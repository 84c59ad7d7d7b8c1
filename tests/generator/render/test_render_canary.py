"""No failing render may quote a value: planted in many places, looked for in all that comes out."""

import pytest

from generator.render.request import RenderFailure
from generator.render.worker import Limits
from tests.generator.chart.samples import write
from tests.generator.render.samples import ENGINES, official_chart, request

CANARY = "c4naryS3cretZq"
CONNECTION = f"postgresql://airflow:{CANARY}@db.example.com/airflow"

TINY = {
    "schema pattern": {"data": {"metadataConnection": {"pass": CANARY}}},
    "schema length": {"data": {"metadataConnection": {"pass": "x" * 30 + CANARY}}},
    "schema type": {"executor": [CANARY]},
    "schema of an enclosing object": {"scheduler": {"replicas": {"x": CANARY}}},
    "template function": {"config": {"core": "{{ " + CANARY + " }}"}},
    "template syntax": {"config": {"core": CANARY + "{{ if }}"}},
    "template quote": {"config": {"core": '{{ "' + CANARY + " }}"}},
    "template number": {"config": {"core": "{{ 1" + CANARY + " }}"}},
    "template field": {"config": {"core": "{{ .Values." + CANARY + ".x.y }}"}},
    "template comment": {"config": {"core": "{{/* " + CANARY}},
    "template variable": {"config": {"core": "{{ $" + CANARY + " }}"}},
    "template fails": {"config": {"core": '{{ fail "' + CANARY + '" }}'}},
    "template fails encoded": {"config": {"core": '{{ fail ("' + CANARY + '" | b64enc) }}'}},
    "yaml mapping": {"extra": f"a: b: {CANARY}"},
    "yaml quote": {"extra": f'a: "{CANARY}'},
    "yaml alias": {"extra": f"a: *{CANARY}"},
    "yaml tag": {"extra": f"a: !!int {CANARY}"},
    "yaml flow": {"extra": "a: [" + CANARY},
    "yaml document": {"extra": f"\n---\n{CANARY}\n"},
    "template name": {"config": {"core": '{{ include "' + CANARY + '" . }}'}},
    "no such kubernetes": {"config": {"core": "{{ semver " + f'"{CANARY}"' + " }}"}},
}

OFFICIAL = {
    "schema": {"executor": CANARY, "data": {"metadataConnection": {"pass": [CANARY]}}},
    "enum": {"images": {"airflow": {"pullPolicy": CANARY}}},
    "version": {"airflowVersion": CANARY},
    "environment": {"env": [{"name": "X", "value": "{{ " + CANARY + " }}", "zzz": CANARY}]},
    "extra environment": {"extraEnv": f"- name: X\n  value: {CANARY}\n bad: ["},
    "extra environment in a template": {"extraEnv": "{{ " + CANARY + " }}"},
    "inline connections": {
        "data": {"metadataConnection": {"pass": CANARY, "protocol": 3}, "brokerUrl": CONNECTION},
        "redis": {"password": CANARY, "passwordSecretName": "x"},
        "fernetKey": CANARY,
    },
    "redis twice": {"redis": {"password": CANARY, "passwordSecretName": CANARY}},
    "config": {"config": {"api": {"secret": CANARY + "{{ x"}}},
    "extra secrets": {"extraSecrets": {"s": {"stringData": f"k: {CANARY}: {CANARY}"}}},
    "extra secrets in a template": {"extraSecrets": {"s": {"data": "{{ " + CANARY + " | b64 }}"}}},
    "webserver config": {"apiServer": {"apiServerConfig": "{{ " + CANARY + " }}"}},
    "old postgres keys": {"postgresql": {"postgresqlPassword": CANARY}},
}


def everything(failure):
    texts = [repr(failure), str(failure)]
    texts += [str(problem.as_json()) for problem in failure.problems(environment="dev")]
    return "\n".join(texts)


@pytest.mark.few(4)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("values", TINY.values(), ids=TINY.keys())
def test_a_failing_render_of_our_chart_quotes_no_value(tmp_path, engine, values):
    outcome = engine(limits=Limits(timeout=30)).render(request(write(tmp_path), values))
    assert isinstance(outcome, RenderFailure)
    assert CANARY not in everything(outcome)
    assert CANARY[:8] not in everything(outcome)


@pytest.mark.few(2)
@pytest.mark.real_chart
@pytest.mark.parametrize("values", OFFICIAL.values(), ids=OFFICIAL.keys())
@pytest.mark.parametrize("engine", ENGINES)
def test_a_failing_render_of_the_official_chart_quotes_no_value(engine, values):
    outcome = engine().render(request(official_chart(), values))
    assert isinstance(outcome, RenderFailure)
    assert CANARY not in everything(outcome)
    assert CANARY[:8] not in everything(outcome)
