"""Layers of Helm values as an Application or a helm command stacks them, with their places."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.core.layered import Path
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document, read
from generator.yaml.scalars import as_helm

Line = Callable[[Path], int | None]

_INDEX = re.compile(r"\[(\d+)\]")
FILLED_IN = re.compile(r"(\{\{(?:(?!\}\}).)*+(?!\}\}))|\{\{.*?\}\}")
"""`{{ ... }}` in a line. One without an end is the group: it stays, and is not read twice."""
_CHOICE = re.compile(r"\{\{-|-\}\}|\{\{\s*(if|else|end|range|with|define|block|template)\b")
_WORD = re.compile(r"genEnvStandIn\d+x")
# Helm's strvals reads a list this long at most (pkg/strvals, MaxIndex).
_MAX_INDEX = 65536


@dataclasses.dataclass(frozen=True)
class ValuesLayer:
    """Values from one place; `line` finds a path in `file`, exact paths only being `written`."""

    values: Mapping[str, Any]
    file: str
    line: Line
    ambiguous: tuple[tuple[Path, str], ...] = ()


class Templated(Exception):
    """Values as text whose lines a template selects: they are known only after templating."""


class NotAMapping(Exception):
    """Values that are no mapping; the path says where they stand."""

    def __init__(self, line: int | None) -> None:
        super().__init__(line)
        self.line = line


def from_document(document: Document, prefix: Path = ()) -> ValuesLayer:
    """The mapping at `prefix` of a document; raises NotAMapping for anything but a mapping."""
    node: Any = document.data
    for key in prefix:
        node = node[key] if isinstance(key, int) else (node or {}).get(key)
    values, ambiguous = as_helm(node if node is not None else {})
    if not isinstance(values, dict):
        raise NotAMapping(document.line(prefix))
    return ValuesLayer(
        values, document.path, lambda path: document.line((*prefix, *path)), tuple(ambiguous)
    )


def from_text(document: Document, prefix: Path, *, template: bool = False) -> ValuesLayer:
    """Values that stand as text in a document, as in `helm.values: |`.

    With `template` its `{{ ... }}` become YAML only once they are filled in. Raises YamlError with
    a line of the outer file, NotAMapping, and Templated.
    """
    node: Any = document.data
    for key in prefix:
        node = node[key]
    if isinstance(node, Mapping):
        return from_document(document, prefix)
    mark = document.marks.get(prefix)
    first = mark.line if mark else None
    literal = mark is not None and mark.style == "|"

    def outer(inner: int | None) -> int | None:
        return first + inner if literal and first is not None and inner else first

    text, words = _stand_ins(str(node)) if template else (str(node), {})
    try:
        inside = read(text, document.path)
    except YamlError as error:
        raise YamlError(
            error.message, path=document.path, line=outer(error.line), hint=error.hint
        ) from None
    try:
        layer = from_document(inside)
    except NotAMapping as error:
        raise NotAMapping(outer(error.line)) from None
    values = _restored(layer.values, words)
    return dataclasses.replace(layer, values=values, line=lambda path: outer(inside.line(path)))


def _stand_ins(text: str) -> tuple[str, dict[str, str]]:
    """The text with a word in place of each `{{ ... }}`, and the placeholder behind each word."""
    if _CHOICE.search(text):
        raise Templated
    words: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        name = f"genEnvStandIn{len(words)}x"
        words[name] = match[0]
        return name

    return FILLED_IN.sub(word, text), words


def _restored(value: Any, words: Mapping[str, str]) -> Any:
    if not words:
        return value
    if isinstance(value, Mapping):
        return {_restored(key, words): _restored(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, words) for item in value]
    return (
        _WORD.sub(lambda match: words.get(match[0], match[0]), value)
        if isinstance(value, str)
        else value
    )


def from_parameters(document: Document, prefix: Path) -> ValuesLayer:
    """Argo CD's `helm.parameters`: each as `helm --set` reads it, or as text if forced."""
    node: Any = document.data
    for key in prefix:
        node = node[key]
    values: dict[str, Any] = {}
    places: dict[Path, Path] = {}
    for index, item in enumerate(node if isinstance(node, list) else ()):
        if not isinstance(item, Mapping) or not item.get("name"):
            continue
        path = parameter_path(str(item["name"]))
        forced = str(item.get("forceString", "")).lower() == "true"
        text = str(item.get("value") or "")
        _put(values, path, text if forced else parameter_value(text))
        places[path] = (*prefix, index)
    first = document.line(prefix)

    def line(path: Path) -> int | None:
        for length in range(len(path), 0, -1):
            if path[:length] in places:
                return document.line(places[path[:length]])
        under = [place for name, place in places.items() if name[: len(path)] == path]
        return document.line(under[0]) if under else first

    return ValuesLayer(values, document.path, line)


def parameter_path(name: str) -> Path:
    """`a.b\\.c[0]` as ("a", "b.c", 0)."""
    path: list[str | int] = []
    for part in re.split(r"(?<!\\)\.", name):
        key = _INDEX.sub("", part).replace("\\.", ".")
        path += [key] if key else []
        path += [int(number) for number in _INDEX.findall(part)]
    return tuple(path)


def parameter_value(text: str) -> Any:
    """A value as `helm --set` types it: true, false, null, integers and `{a,b}` lists."""
    if text.startswith("{") and text.endswith("}") and not text.startswith("{{"):
        inner = text[1:-1]
        return [parameter_value(item) for item in inner.split(",")] if inner else []
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    # Helm keeps text with a leading zero, such as a file mode.
    return int(text) if re.fullmatch(r"0|-?[1-9]\d{0,17}", text) else text


def _put(values: dict[str, Any], path: Path, value: Any) -> None:
    place: Any = values
    for index, key in enumerate(path):
        last = index == len(path) - 1
        fresh: Any = value if last else [] if isinstance(path[index + 1], int) else {}
        if isinstance(key, int):
            if not isinstance(place, list) or key > _MAX_INDEX:
                return
            place.extend([None] * (key + 1 - len(place)))
            place[key] = fresh if last or place[key] is None else place[key]
        elif isinstance(place, dict):
            if last or not isinstance(place.get(key), dict | list):
                place[key] = fresh
        else:
            return
        place = place[key]


def stacked(layers: Sequence[ValuesLayer]) -> dict[str, Any]:
    """The layers over one another, the last one winning, nulls kept for the chart's defaults."""
    result: dict[str, Any] = {}
    for layer in layers:
        result = _over(result, layer.values)
    return result


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = _over(below, value)
        else:
            result[key] = value
    return result


def located(layers: Sequence[ValuesLayer], path: Path) -> tuple[str, int | None]:
    """File and line of the highest layer that has the path, or the longest part of it."""
    best: tuple[int, ValuesLayer] | None = None
    for layer in reversed(layers):
        depth = _depth(layer.values, path)
        if best is None or depth > best[0]:
            best = (depth, layer)
    if best is None:
        return "", None
    depth, layer = best
    return layer.file, layer.line(path[:depth]) if depth else None


def _depth(values: Any, path: Path) -> int:
    """How many steps of the path exist in the values."""
    for depth, key in enumerate(path):
        inside = isinstance(key, int) and isinstance(values, list) and key < len(values)
        if not inside and not (isinstance(values, Mapping) and key in values):
            return depth
        values = values[key]
    return len(path)
