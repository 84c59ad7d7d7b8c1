"""The page on a company's own authorities says what a definition takes."""

import re
from pathlib import Path

import yaml

from tests.repositories import PRODUCTION, release

PAGE = Path(__file__).parents[3] / "docs" / "definition.md"


def documented():
    section = PAGE.read_text("utf-8").split("## A certificate authority", 1)[1]
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", section, re.S)[1])


def test_the_documented_definition_mounts_the_bundle_and_names_it():
    text = yaml.safe_dump({**yaml.safe_load(PRODUCTION), **documented()})
    made = release(text)
    assert made.values["volumeMounts"][0]["mountPath"] == "/etc/company-ca"
    assert {"name": "PGSSLROOTCERT", "value": "/etc/company-ca/ca.crt"} in made.values["env"]
    sync = made.values["dags"]["gitSync"]
    assert sync["env"][0]["name"] == "GIT_SSL_CAINFO" and sync["repo"].startswith("https://")


def test_the_documented_headers_come_from_a_secret():
    found = re.search(r"`(secrets: \{extra: \{otlp.*?\}\}\}\})`", PAGE.read_text("utf-8"))[1]
    made = release(f"{PRODUCTION}{found}\n")
    (row,) = made.values["secret"]
    assert row["envName"] == "OTEL_EXPORTER_OTLP_HEADERS" and row["secretName"] == "otlp"
