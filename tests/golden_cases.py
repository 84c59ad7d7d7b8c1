"""Golden cases: pairs of small trees under tests/cases, one idea each.

`base/*.yaml` and `head/*.yaml` are the manifests (a missing folder is an environment that is not
there), `facts.yaml` what else is known of the sides, `report.md` what a reader gets to see.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml

from generator.core.problem import Problem, Severity
from generator.diff.model import Facts, Side
from generator.render import helm_notes
from generator.report.assemble import environment_diff
from generator.report.model import Report

ROOT = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
REWRITE = os.environ.get("GEN_ENV_GOLDEN") == "write"


def report_of(name):
    folder = ROOT / name
    known = _facts(folder)
    head = _side(folder / "head", "head", known)
    if "failure" in known:
        head = Side("head", failure=Problem(severity=Severity.ERROR, **known["failure"]))
    environment = environment_diff(
        "payments/production",
        _side(folder / "base", "base", known),
        head,
        old_name=known.get("oldName"),
    )
    return Report("base", "head", (environment,))


def _facts(folder):
    path = folder / "facts.yaml"
    return yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}


def _side(folder, revision, known):
    if not folder.is_dir():
        return None
    manifests = []
    for path in sorted(folder.glob("*.yaml")):
        manifests += yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return Side(
        revision,
        tuple(item for item in manifests if item),
        Facts(**dict(_fact(*fact) for fact in known.get(revision, {}).items())),
        namespace="airflow",
    )


def _fact(key, value):
    if key == "notes":
        return "warnings", helm_notes.warnings(value, {})
    name = re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), key)
    return name, frozenset(value) if key == "declaredSecrets" else value
