"""Credentials in a definition or in gen-env.yaml: in the URL of a repository, an issuer, an image.

What variables and options of airflow.cfg hold is judged by the rules about values, which know
their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, dotted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.redaction.urls import credentials
from generator.yaml.reader import Document

SECRET_IN_URL = Rule(
    "definition/secret-in-url",
    Severity.ERROR,
    "A password or a token in a definition or in gen-env.yaml",
    "It comes into values, objects, pods and airflow.cfg, where many more can read it.",
)

_JUDGED_AS_VALUES = (
    ("airflow", "env"),
    ("airflow", "config"),
    ("values", "env"),
    ("values", "config"),
)
_DEFAULTS_DEPTH = 3  # defaults.tiers.production holds what a definition holds


def problems(document: Document, path: str, environment: str = "") -> Iterator[Problem]:
    """An error for each value that holds a credential; the value is never quoted."""
    for place, text in _texts(document.data, ()):
        if not _is_judged(place) and any(credentials(text)):
            yield SECRET_IN_URL.problem(
                f"{dotted(place)} holds a password or a token: everybody who can read the"
                " repository, the rendered objects or their pods has it",
                environment=environment,
                path=path,
                line=document.line(place),
                hint="remove it, give it by the Secret that the field next to it names (secretName,"
                " pullSecrets, …), and change it: it stays in the history of git",
            )


def _texts(data: Any, place: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, Mapping):
        for key, item in data.items():
            yield from _texts(item, (*place, key))
    elif isinstance(data, list | tuple):
        for index, item in enumerate(data):
            yield from _texts(item, (*place, index))


def _is_judged(place: Path) -> bool:
    inner = place[_DEFAULTS_DEPTH:] if place[:1] == ("defaults",) else place
    of_component = inner[:1] == ("values",) and inner[2:3] == ("env",)
    return of_component or inner[:2] in _JUDGED_AS_VALUES
