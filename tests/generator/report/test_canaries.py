"""Secrets planted wherever a secret can be: none may come out, in any format, on any side."""

import base64
import io
import itertools
import json

import pytest
from rich.console import Console

from generator.core.problem import Problem, Severity
from generator.diff.compare import compare
from generator.diff.model import Facts, Side
from generator.render import helm_notes
from generator.report import html, json_report, markdown, terminal
from generator.report.assemble import environment_diff
from generator.report.model import Report

NUMBERS = itertools.count()
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def canary():
    return f"c4n4ry{next(NUMBERS):04d}Xy"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def uri(secret):
    return f"postgresql+psycopg2://airflow:{secret}@pg.example.com:5432/airflow?sslmode=require"


def places(secret):
    """One tree with a secret in every place."""
    metadata = {"name": "x"}
    last = json.dumps({"kind": "Secret", "data": {"any": encoded(secret)}})
    container = {
        "name": "scheduler",
        "image": "r/airflow:1",
        "args": ["bash", "-c", f'exec airflow users create "$@" -p {secret}', "--", "-p", secret],
        "command": ["client", f"--password={secret}", "--token", secret],
        "env": [
            {"name": "DB_PASSWORD", "value": secret},
            {"name": "AIRFLOW_CONN_SNOWFLAKE", "value": f"snowflake://u/?extra={secret}"},
            {"name": "PLAIN", "value": uri(secret)},
            {"name": "ENCODED", "value": encoded(uri(secret))},
            {"name": "AIRFLOW__CORE__FERNET_KEY", "value": secret},
            {"name": "GITSYNC_REPO", "value": f"https://{secret}@github.com/example/dags.git"},
            {"name": "CONNECTION", "value": json.dumps({"login": "u", "password": secret})},
            {"name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "value": uri(secret)},
        ],
    }
    template = {
        "metadata": {"labels": {"component": "scheduler"}},
        "spec": {"containers": [container]},
    }
    text = (
        f"[database]\nsql_alchemy_conn = {uri(secret)}\n[core]\nfernet_key = {secret}\n"
        f"[smtp]\nsmtp_password = {secret} with blanks {secret}\n"
        f"-----BEGIN RSA PRIVATE KEY-----\n{secret}\n{secret}\n-----END RSA PRIVATE KEY-----\n"
    )
    manifest = (
        f"kind: Secret\nstringData:\n  any: {secret}\n  text: |\n    {secret}\n    {secret}\n"
    )
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain"},
         "data": {"any": encoded(secret), "connection": encoded(uri(secret))},
         "stringData": {"other": secret, "number": 1}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": "applied",
            "annotations": {APPLIED: last, "a/b": last}}},
        {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "s"},
         "spec": {"encryptedData": {"k": f"Ag{secret}"}, "data": f"Ag{secret}",
                  "template": {"data": {"t": secret}, "stringData": {"t": secret}}}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
         "spec": {"replicas": 1, "template": template}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"},
         "data": {"airflow.cfg": text, "password": secret, "manifest.yaml": manifest,
                  "list.json": f"[{last}]"},
         "binaryData": {"any": encoded(secret)}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "app"},
         "spec": {"source": {"helm": {
             "values": f"data:\n  metadataConnection:\n    pass: {secret}\nfernetKey: {secret}\n",
             "valuesObject": {"fernetKey": secret, "data": {"brokerUrl": uri(secret)},
                              "apiSecretKey": secret, "extra": {"tokens": [secret]}},
             "parameters": [{"name": "redis.password", "value": secret}]}}}},
        {"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "listed"},
             "data": {"any": encoded(secret)}}]},
        {"apiVersion": "example.com/v1", "kind": "Wrapper", "metadata": {"name": "w"},
         "spec": {"objects": [{"kind": "Secret", "data": {"any": encoded(secret)}}]}},
    ]  # fmt: skip


def formats(report):
    out = io.StringIO()
    terminal.show(report, Console(file=out, width=200))
    return {
        "html": html.render(report),
        "json": json_report.render(report),
        "terminal": out.getvalue(),
        **{f"markdown {b}": markdown.render(report, budget=b) for b in (300, 1_000, 65_536, 10**6)},
    }


def sides(*secrets):
    return [
        Side("r", tuple(places(secret)), _facts(secret), namespace="airflow", failure=None)
        for secret in secrets
    ]


def _facts(secret):
    values = {"data": {"brokerUrl": uri(secret)}, "fernetKey": secret, "x": 1}
    notes = f"DEPRECATION WARNING:\n  `x` with {uri(secret)} is gone\n"
    return Facts(values=values, warnings=helm_notes.warnings(notes, values))


def leaks(secret, text):
    return [form for form in (secret, encoded(secret)[:-4], secret[2:]) if form in text]


@pytest.mark.parametrize("way", ["changed", "added", "removed", "mixed"])
def test_no_secret_comes_out(way):
    old, new = canary(), canary()
    base, head = sides(old, new)
    if way == "mixed":
        head = Side("r", (*places(old)[:3], *places(new)[3:]), namespace="airflow")
    failure = Problem("render/failed", Severity.ERROR, f"{uri(old)} password: {old}", hint=uri(new))
    environments = [
        environment_diff(
            "e",
            None if way == "added" else base,
            None if way == "removed" else head,
            problems=[failure],
            drift=compare(base, head).changes,
        ),
        environment_diff("f", base, Side("r", failure=failure)),
    ]
    report = Report("b", "h", tuple(environments))
    for name, text in formats(report).items():
        assert leaks(old, text) == [], name
        assert leaks(new, text) == [], name


def test_every_changed_secret_still_shows_that_it_changed():
    base, head = sides(canary(), canary())
    changes = environment_diff("e", base, head).changes
    assert len(changes) == len(places("x"))
    for change in changes:
        marks = change.diff.count("<masked: changed>") + change.diff.count("<sealed: resealed>")
        assert marks >= 1, change.key


def test_equal_secrets_show_no_change():
    base, head = sides(*[canary()] * 2)
    assert environment_diff("e", base, head).changes == ()
