"""Every published shape is masked in every output, and what stands beside it stays readable."""

import io
import json

import pytest
from rich.console import Console

from generator.diff.model import Side
from generator.redaction.manifests import mask
from generator.redaction.text import redact, redact_prose
from generator.report import html, json_report, markdown, terminal
from generator.report.assemble import environment_diff
from generator.report.model import Report
from tests.generator.redaction import corpus, neighbours

EXAMPLES = list(corpus.examples())
NEIGHBOURS = list(neighbours.neighbours())
OF_PROSE = ("published tokens", "user info", "query parameters", "headers", "webhooks")


def of_kind(kind):
    return [example for example in EXAMPLES if example.kind == kind]


@pytest.mark.parametrize("kind", sorted({example.kind for example in EXAMPLES}))
def test_no_secret_of_this_class_stays(kind):
    shown = [redact(example.text) for example in of_kind(kind)]
    leaks = [
        text for example, text in zip(of_kind(kind), shown, strict=True) if example.secret in text
    ]
    assert leaks == []
    assert all("<masked>" in text for text in shown)


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in NEIGHBOURS}))
def test_what_is_no_secret_of_this_class_stays(kind):
    texts = [text for of, text in NEIGHBOURS if of == kind]
    assert [redact(text) for text in texts] == texts
    assert [redact_prose(text) for text in texts] == texts


def test_neighbours_stay_as_values_of_objects_too():
    data = {f"line{index}": text for index, (_, text) in enumerate(NEIGHBOURS)}
    config = {"kind": "ConfigMap", "data": data}
    assert mask(config, config) == (config, config)


@pytest.mark.parametrize("kind", OF_PROSE)
def test_sentences_and_finished_pages_lose_what_has_a_shape(kind):
    # A header may have any name in a value; in a sentence it must look like one.
    for example in of_kind(kind):
        if "/notify/" in example.text or "/hooks/" in example.text.removeprefix("https://hooks."):
            continue
        assert example.secret not in redact_prose(example.text), example.text
        page = json.dumps({"text": example.text, "next": "value"}, indent=2)
        masked = redact_prose(page)
        assert example.secret not in masked
        assert json.loads(masked)["next"] == "value"


def test_a_text_of_all_examples_hides_each_of_them():
    whole = redact("\n\n".join(example.text for example in EXAMPLES))
    assert [example.text for example in EXAMPLES if example.secret in whole] == []


def side(seed):
    """Several objects, so that the diff of none is cut for its length."""
    texts = [item.text for item in corpus.examples(seed)]
    objects = []
    for start in range(0, len(texts), 150):
        part = texts[start : start + 150]
        variables = [{"name": f"V{number}", "value": text} for number, text in enumerate(part)]
        container = {"name": "x", "env": variables, "args": [*part]}
        for kind, content in (
            ("ConfigMap", {"data": {f"e{number}": text for number, text in enumerate(part)}}),
            ("Pod", {"spec": {"containers": [container]}}),
        ):
            metadata = {"name": f"x{start}"}
            objects.append({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})
    return Side("r", tuple(objects), namespace="airflow")


def test_no_format_of_a_report_shows_one_and_all_show_that_it_changed():
    found = environment_diff("e", side("old"), side("new"))
    report = Report("b", "h", (found,))
    out = io.StringIO()
    terminal.show(report, Console(file=out, width=300))
    formats = {
        "terminal": out.getvalue(),
        "html": html.render(report),
        "json": json_report.render(report),
        "markdown": markdown.render(report, budget=10**7),
    }
    secrets = [item.secret for seed in ("old", "new") for item in corpus.examples(seed)]
    for name, text in formats.items():
        assert [secret for secret in secrets if secret in text] == [], name
    # Base and head have other secrets in the same places: each place says that it changed.
    changed = sum(change.diff.count("<masked: changed>") for change in found.changes)
    assert changed > 2 * len(EXAMPLES)


ARGUMENTS = [
    {"command": ["mysql"], "args": ["-h", "db", "-pCANARY7x", "airflow"]},
    {"command": ["curl", "-sSu", "user:CANARY7x", "https://example.com"]},
    {"command": ["/usr/bin/redis-cli"], "args": ["-a", "CANARY7x"]},
    {"args": ["curl", "-H", "Authorization: Bearer CANARY7x"]},
    {"args": ["sshpass", "-p", "CANARY7x", "ssh", "host"]},
    {"args": ["--user", "user:CANARY7x"]},
    {"args": ["docker", "login", "-p", "CANARY7x"]},
    {"httpHeaders": [{"name": "X-Vault-Token", "value": "CANARY7x"}]},
    {"httpHeaders": [{"name": "Authorization", "value": "Basic CANARY7x"}]},
    {"header": ["Authorization", "CANARY7x"]},
    {"env": [{"name": "DATADOG_APP_KEY", "value": "CANARY7x"}]},
    {"env": [{"name": "ROUTING_KEY", "value": "CANARY7x"}]},
    {"config": {"secretId": "CANARY7x", "bindPW": "CANARY7x", "apiKeys": ["CANARY7x"]}},
]


@pytest.mark.parametrize("part", ARGUMENTS)
def test_a_secret_spread_over_fields_and_arguments_is_hidden(part):
    assert "CANARY" not in json.dumps(mask(part, None)[0])


REFERENCES = [
    {"command": ["mysql"], "args": ["-h", "db", "-P", "3306", "-p$(PASSWORD)"]},
    {"args": ["docker", "run", "-u", "50000:0"]},
    {"env": [{"name": "ROUTING_KEY", "value": "tasks.default"}]},
    {"env": [{"name": "SSH_KEY", "value": "/etc/ssh/id"}]},
    {"passwordSecret": "airflow-db", "sortKey": "name", "topologyKeys": ["kubernetes.io/hostname"]},
    {"httpHeaders": [{"name": "Authorization", "value": "Bearer $(TOKEN)"}]},
]


@pytest.mark.parametrize("part", REFERENCES)
def test_references_names_and_paths_stay_in_objects(part):
    assert mask(part, None)[0] == part
