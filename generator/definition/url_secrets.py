"""Credentials in a definition or in gen-env.yaml: in the URL of a repository, an issuer, an image.

What `airflow.env`, `airflow.config` and `values` hold is judged by the rules about values, which
know the names of the variables and options.
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.layered import Path, dotted, leaves
from generator.core.problem import Problem, Severity
from generator.redaction.urls import credentials
from generator.yaml.reader import Document

_JUDGED_AS_VALUES = (("airflow", "env"), ("airflow", "config"), ("values",))
_DEFAULTS_DEPTH = 3  # defaults.tiers.production holds what a definition holds


def problems(document: Document, path: str, environment: str = "") -> Iterator[Problem]:
    """An error for each value that holds a credential; the value is never quoted."""
    for place, value in leaves(document.data):
        if isinstance(value, str) and not _is_judged(place) and any(credentials(value)):
            yield Problem(
                "definition/secret-in-url",
                Severity.ERROR,
                f"{dotted(place)} holds a password or a token: everybody who can read the"
                " repository, the rendered objects or their pods has it",
                environment,
                path,
                document.line(place),
                "remove it, give it by the Secret that the field next to it names (secretName,"
                " pullSecrets, …), and change it: it stays in the history of git",
            )


def _is_judged(place: Path) -> bool:
    inner = place[_DEFAULTS_DEPTH:] if place[:1] == ("defaults",) else place
    return any(inner[: len(judged)] == judged for judged in _JUDGED_AS_VALUES)
