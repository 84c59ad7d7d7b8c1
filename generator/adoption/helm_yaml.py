"""YAML read by PyYAML with the scalars of go-yaml v2, values merged as Helm merges them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

# gopkg.in/yaml.v2 resolve.go; no timestamps (sigs.k8s.io/yaml keeps their text), no base 60.
_WORDS = ["y", "yes", "true", "on", "n", "no", "false", "off"]
_BOOLEAN = re.compile("|".join(w for word in _WORDS for w in (word, word.title(), word.upper())))
_INTEGER = re.compile(r"[-+]?(0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_NULL = re.compile("|~|null|Null|NULL")


class _Loader(yaml.SafeLoader):
    """SafeLoader with go-yaml's scalars in place of its own."""


_Loader.yaml_implicit_resolvers = {}


for _tag, _pattern, _first in (
    ("null", _NULL, [*"~nN", ""]),
    ("bool", _BOOLEAN, list("yYnNtTfFoO")),
    ("int", _INTEGER, list("-+0123456789")),
    ("float", _FLOAT, list("-+0123456789.")),
    ("merge", re.compile("<<"), ["<"]),
):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, _first)


def _boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return node.value.lower() in ("y", "yes", "true", "on")


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "")
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-").lower()
    if digits[:2] in ("0b", "0x", "0o"):
        return sign * int(digits, 0)
    if digits[0] == "0" and len(digits) > 1:
        return sign * int(digits, 8) if re.fullmatch("[0-7]+", digits) else float(text)
    return sign * int(digits)


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value.replace("_", ""))


_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def loads(text: str) -> list[Any]:
    """The documents of a text that hold something. Raises ValueError for what is not YAML."""
    try:
        # A loader that is safe: nothing but plain data can be constructed.
        documents = yaml.load_all(text, _Loader)
        return [_with_text_keys(item) for item in documents if item is not None]
    except (yaml.YAMLError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 1}" if place else ""
        raise ValueError(f"PyYAML cannot read it{line}") from None


def objects(documents: Sequence[Any]) -> list[Any]:
    """The documents, where a list of objects (`kind: List`, `ApplicationList`) counts as these."""
    found: list[Any] = []
    for item in documents:
        kind = str(item.get("kind") or "") if isinstance(item, Mapping) else ""
        inner = item.get("items") if kind.endswith("List") else None
        if not isinstance(inner, list) or not inner:
            found.append(item)
            continue
        same = {"apiVersion": item.get("apiVersion"), "kind": kind.removesuffix("List")}
        known = same if kind != "List" else {}
        found += objects([{**known, **one} if isinstance(one, Mapping) else one for one in inner])
    return found


def _with_text_keys(value: Any) -> Any:
    """Keys as text, as JSON has them: `on: 1` is `{"true": 1}`."""
    if isinstance(value, Mapping):
        return {_key(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def values_of(texts: Sequence[str]) -> dict[str, Any]:
    """Values files over one another, the last one winning (Helm's pkg/cli/values).

    Raises ValueError for text that is no mapping.
    """
    result: dict[str, Any] = {}
    for text in texts:
        data: Any = next(iter(loads(text)), {})
        if not isinstance(data, Mapping):
            raise ValueError("values are not a mapping")
        result = _over(result, data)
    return result


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[key] = _over(below, value) if both and below is not None else value
    return result


_NAME = re.compile(r"(?:[^.\[\]\\,={}]|\\.)+|\[\d{1,4}\]|\.")


def put(values: dict[str, Any], name: str, text: str, *, forced: bool) -> None:
    """`--set name=text` (pkg/strvals), or `--set-string` if forced, into the values.

    Raises ValueError for what needs more of strvals' grammar than names, indexes and plain lists.
    """
    parts = _NAME.findall(name)
    if "".join(parts) != name or not parts:
        raise ValueError("its name is not a plain path")
    path: list[str | int] = [
        int(part[1:-1]) if part[0] == "[" else re.sub(r"\\(.)", r"\1", part)
        for part in parts
        if part != "."
    ]
    place: Any = values
    for key, following in zip(path, [*path[1:], None], strict=True):
        if isinstance(place, list) and isinstance(key, int):
            place.extend([None] * (key + 1 - len(place)))
        elif not isinstance(place, dict) or isinstance(key, int):
            raise ValueError("its parent is not a mapping")
        if following is None:
            place[key] = _typed(text, forced=forced)
            return
        fresh: Any = [] if isinstance(following, int) else {}
        below = place[key] if isinstance(key, int) else place.get(key)
        place[key] = below if isinstance(below, type(fresh)) else fresh
        place = place[key]


def _typed(text: str, *, forced: bool) -> Any:
    if "\\" in text or (text[:1] == "{") is not (text[-1:] == "}"):
        raise ValueError("its value has escapes or half a list")
    if text[:1] == "{":
        return [_typed(item, forced=forced) for item in text[1:-1].split(",")]
    if not forced and text in ("true", "false", "null"):
        return {"true": True, "false": False}.get(text)
    whole = not forced and re.fullmatch(r"0|-?[1-9]\d{0,17}", text)
    return int(text) if whole else text
