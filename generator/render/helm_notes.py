"""The chart's NOTES.txt: the only place where a chart warns of values that it will drop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.chart.archive import pack
from generator.chart.chart import ChartArchive
from generator.core.layered import lookup
from generator.core.problem import Problem, Severity, ordered
from generator.core.rule import Rule
from generator.render.redaction import redact

DEPRECATED = Rule(
    "chart/deprecated",
    Severity.WARNING,
    "An old key, named by the chart",
    "It goes with chart 2.0.",
    "the chart's NOTES.txt",
)
WARNED = Rule(
    "chart/notes",
    Severity.WARNING,
    "A warning in the chart's notes",
    "Argo CD never shows them.",
    "the chart's NOTES.txt",
)

NOTES = "templates/NOTES.txt"
# Helm renders in reverse order of names: this comes after NOTES.txt, so that a failure in the notes
# is reported under their own name.
TEMPLATE = "templates/GEN-ENV-NOTES.yaml"
KIND = "GenEnvNotes"

_DEPRECATION = re.compile(r"DEPRECATION WARNING:[ \t]*\n(?P<text>(?:[ \t]*\S.*\n?)+)")
_DEFINES = re.compile(r"\{\{-?\s*(?:define|block)\b")
_BANNER = re.compile(r"^#+\n#[ \t]*WARNING:?[ \t]*(?P<text>[^\n]*?)[ \t]*#\n#+\n", re.MULTILINE)
_RENAMED = re.compile(
    r"`(?P<old>[^`]+)` has been (?:renamed|deprecated|moved|replaced)"
    r"(?: to (?P<new>`[^`]+`(?:/`[^`]+`)*))?"
)
_REMOVED = re.compile(r"`(?P<old>[^`]+)` section has been removed")
_QUOTED = re.compile(r"`+([^`\s]+)`+")
_OLD_KEY = re.compile(r"`([^`]+)` is deprecated")
_PROMISE = re.compile(r"\s*Please (?:change your values|remove overwrite values).*", re.DOTALL)
# Chart 1.18.0 asks for this key where only Airflow 3's is read.
_OF_AIRFLOW_2 = "static webserver secret key"
_KEYS_OF_AIRFLOW_3 = ("apiSecretKey", "apiSecretKeySecretName")


def warnings(notes: str, values: Mapping[str, Any], source: str = "") -> tuple[Problem, ...]:
    """The warnings in rendered notes: `chart/deprecated` for old keys, `chart/notes` for others.

    `values` are those rendered with; none of them is quoted, unless as a word that stands in
    `source` too, the chart's own NOTES.txt.
    """
    public = frozenset(re.findall(r"[\w.-]+", source)) | frozenset(re.findall(r"\w+", source))
    problems = [
        _deprecated(match["text"], values, public) for match in _DEPRECATION.finditer(notes + "\n")
    ]
    for match in _BANNER.finditer(notes + "\n"):
        # What stands in the chart word for word holds no value.
        text = match["text"]
        if _OF_AIRFLOW_2 in text and any(values.get(key) for key in _KEYS_OF_AIRFLOW_3):
            continue
        message = text if text in source else redact(text, values, public)
        problems.append(WARNED.problem(message, hint="see the chart's documentation"))
    if _DEFINES.search(source):
        message = "the chart's notes were not read: they define templates of their own"
        problems.append(WARNED.problem(message, hint="move these into a file of templates/"))
    return ordered(problems)


def is_unwritten(problem: Problem, values: Mapping[str, Any]) -> bool:
    """Whether a chart warns of an old key that nobody wrote: its own defaults set it.

    Chart 1.22.0 does so for `ingress.{web,flower}.tls` and, with labels, for `workers.labels`.
    """
    old = _OLD_KEY.fullmatch(problem.message)
    return problem.rule == DEPRECATED.id and old is not None and lookup(values, old[1]) is None


def _deprecated(text: str, values: Mapping[str, Any], public: frozenset[str]) -> Problem:
    sentence = redact(" ".join(_PROMISE.sub("", text).split()), values, public)
    if match := _RENAMED.search(text):
        new = (match["new"] or "").replace("`/`", "` or `")
        hint = f"use {new}" if new else sentence
        return DEPRECATED.problem(f"`{match['old']}` is deprecated", hint=hint)
    if match := _REMOVED.search(text):
        return DEPRECATED.problem(f"`{match['old']}` is deprecated", hint="remove it")
    key = _QUOTED.search(text)
    message = f"`{key[1]}` is deprecated as it is set" if key else "a value is deprecated"
    return DEPRECATED.problem(message, hint=sentence)


def with_notes(chart: ChartArchive) -> bytes | None:
    """The chart with its notes as one more manifest, since `helm template` prints no notes.

    None when the chart has no notes, or notes that cannot be moved.
    """
    source = chart.files.get(NOTES, b"").decode("utf-8", "replace")
    if not source.strip() or _DEFINES.search(source):
        return None
    # All on the first line, so that lines in Helm's messages stay those of NOTES.txt.
    template = (
        f'{{{{- define "gen-env.notes" }}}}{source}{{{{ end }}}}\n'
        f"apiVersion: gen-env.dev/v1\nkind: {KIND}\nmetadata: {{name: notes}}\n"
        'text: {{ include "gen-env.notes" . | toJson }}\n'
    )
    return pack(chart.name, {**chart.files, TEMPLATE: template.encode()})
