"""From the message of a failed render to a value that says what, where and why."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from generator.chart.chart import ChartArchive
from generator.core.layered import lookup
from generator.render.redaction import redact
from generator.render.request import FailureKind, Fault, RenderFailure, RenderRequest, leaves

_SCHEMA = "values don't meet the specifications of the schema"
_SCHEMA_LINE = re.compile(r"\s*- at '(?P<pointer>[^']*)': (?P<text>.*)")
_OLD_SCHEMA_LINE = re.compile(r"\s*- (?P<key>\S+?): (?P<text>.+)")  # Helm before 3.18
_SCHEMA_GROUP = re.compile(r"(?:validation|(?:any|all|one)Of) failed.*")
_AT = re.compile(r"(?P<template>[\w.-]+(?:/[\w.-]+)*/templates/[\w./-]+):(?P<line>\d+)(?::\d+)?")
_FAIL = re.compile(r"execution error at \([^)]*\): (?P<text>.*)", re.DOTALL)
_YAML = re.compile(r"YAML parse error on (?P<template>\S+?):? (?P<text>.*)", re.DOTALL)
_TPL = re.compile(r'(?:cannot parse template|execution for) "(?P<text>(?:[^"\\]|\\.)*)"')
_VALUES_KEY = re.compile(r"<[^<>]*?\.Values\.(?P<key>[\w.]+)[^<>]*>")
_DOTTED = re.compile(r"[A-Za-z]\w*(?:\.\w+)+")
_DEBUG = "Use --debug flag to render out invalid YAML"
_WORDS = re.compile(r"[\w.-]+")

_HINT_TPL = "the chart reads this value as a template: write {{`{{`}} for a literal {{"
_HINT_YAML = "a value that is put into the output as text breaks its YAML: check its indentation"


def from_message(message: str, request: RenderRequest, chart: ChartArchive) -> RenderFailure:
    """What Helm's message means; the message itself comes out redacted."""
    message = message.replace(_DEBUG, "").strip().removeprefix("Error: ")
    if _SCHEMA in message:
        return _from_schema(message, request, chart)
    if match := _YAML.search(message):
        return _from_yaml(match, request, chart)
    text = _FAIL.search(message)
    places = list(_AT.finditer(message))
    place = places[-1] if places else None
    key = _values_key(message, request, chart)
    return RenderFailure(
        kind="template",
        message=_clean(_essence(message, text, places), request, chart),
        template=_own(place["template"]) if place else "",
        line=int(place["line"]) if place else None,
        values_key=key,
        hint=_HINT_TPL if _TPL.search(message) else "",
    )


def plain(kind: FailureKind, message: str, *, hint: str = "") -> RenderFailure:
    """A failure in words of our own."""
    return RenderFailure(kind=kind, message=message, hint=hint)


def suspects(values: Mapping[str, Any]) -> str:
    """The values that hold templates, in words: where to look when a render does not end."""
    keys = [key for key, value in leaves(values) if isinstance(value, str) and "{{" in value]
    if not keys:
        return "look for a value of extreme size, such as a number of replicas or a repeated text"
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return f"values that hold templates: {', '.join(keys[:5])}{more}"


def _from_schema(message: str, request: RenderRequest, chart: ChartArchive) -> RenderFailure:
    faults = []
    owner = ""
    for line in message.splitlines()[1:]:
        new, old = _SCHEMA_LINE.fullmatch(line), _OLD_SCHEMA_LINE.fullmatch(line)
        if new and not _SCHEMA_GROUP.fullmatch(new["text"]):
            faults.append((_dotted(new["pointer"], owner), new["text"]))
        elif old and not new:
            faults.append((_joined(owner, old["key"].removeprefix("(root)")), old["text"]))
        elif line.strip().endswith(":") and not line.lstrip().startswith("-"):
            owner = line.strip().removesuffix(":")
            owner = "" if owner == chart.name else owner
    listed = tuple(
        sorted({Fault(k or "values", _clean(t, request, chart)) for k, t in faults}, key=str)
    )
    summary = "; ".join(f"{fault.values_key}: {fault.message}" for fault in listed)
    return RenderFailure(
        kind="schema",
        message=f"the chart's schema refuses the values: {summary or 'it does not say which'}",
        values_key=listed[0].values_key if listed else None,
        hint="correct the values; `gen-env explain` shows where each comes from",
        faults=listed,
    )


def _from_yaml(match: re.Match[str], request: RenderRequest, chart: ChartArchive) -> RenderFailure:
    text = match["text"].replace("error converting YAML to JSON: ", "")
    return RenderFailure(
        kind="yaml",
        message=f"the output is not a Kubernetes object: {_clean(text, request, chart)}",
        template=_own(match["template"].removesuffix(":")),
        hint=_HINT_YAML,
    )


def _essence(message: str, fail: re.Match[str] | None, places: list[re.Match[str]]) -> str:
    """The last link of the chain of templates that called each other."""
    if fail:
        return fail["text"]
    rest = message[places[-1].end() :].lstrip(": ") if places else message
    return re.sub(r'^executing "[^"]*" at ', "at ", rest)


def _clean(text: str, request: RenderRequest, chart: ChartArchive) -> str:
    return redact(text.strip(), request.values, _public_words(chart))


def _public_words(chart: ChartArchive) -> frozenset[str]:
    """Every word of the chart itself: such a word in a message gives nothing away."""
    return _words_of(chart.digest, tuple(_texts(chart)))


@functools.lru_cache(maxsize=2)
def _words_of(digest: str, texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORDS.findall(text))


def _texts(chart: ChartArchive) -> list[str]:
    wanted = ("templates/", "values.yaml", "values.schema.json")
    return [
        content.decode("utf-8", "replace")
        for path, content in chart.files.items()
        if path.startswith(wanted)
    ]


def _values_key(message: str, request: RenderRequest, chart: ChartArchive) -> str | None:
    if match := _TPL.search(message):
        return _origin(match["text"], request.values)
    if match := _VALUES_KEY.search(message):
        return match["key"]
    for name in _DOTTED.findall(message.rpartition("): ")[2]):
        if _holds(chart.values(), name) or _holds(request.values, name):
            return str(name)
    return None


def _origin(quoted: str, values: Mapping[str, Any]) -> str | None:
    """The key of the value that was taken for a template."""
    try:
        text = json.loads(f'"{quoted}"')
    except ValueError:
        text = quoted
    keys = [
        key
        for key, value in leaves(values)
        if isinstance(value, str) and "{{" in value and (value in text or text in value)
    ]
    return keys[0] if keys else None


def _holds(values: Mapping[str, Any], dotted: str) -> bool:
    *parents, key = dotted.split(".")
    above = lookup(values, tuple(parents))
    return isinstance(above, Mapping) and key in above


def _dotted(pointer: str, owner: str) -> str:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    key = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).lstrip(".")
    return _joined(owner, key)


def _joined(owner: str, key: str) -> str:
    return ".".join(filter(None, [owner, key.lstrip(".")]))


def _own(template: str) -> str:
    """NOTES.txt, where a binary engine had to render it under a name of ours."""
    from generator.render.helm_notes import TEMPLATE

    return template.replace(TEMPLATE, "templates/NOTES.txt")
