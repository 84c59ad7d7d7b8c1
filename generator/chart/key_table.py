"""The traits of the official chart's releases, for statements without an archive.

The data is made by `tools/chart_keys.py` from archives; that of 1.21.0 was packed from the main
branch of the day before its release, since no official one is to be had. Where an archive is at
hand its own traits say more (`traits_cache`), and say it of that very archive.
"""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.chart.key_tree import FREE, IGNORED, ITEMS, KEYS, REFUSED, REST, Node
from generator.chart.traits import ChartTraits
from generator.chart.traits_cache import from_data

_FILE = Path(__file__).with_name("keys.json.gz")
_REST = {FREE: "f", IGNORED: "i", REFUSED: "r"}
_ANY, _ITEM = "*", "[]"


def versions() -> tuple[str, ...]:
    """The releases that the table holds, oldest first."""
    return tuple(_data()["versions"])


@functools.lru_cache(maxsize=32)
def traits(version: str) -> ChartTraits | None:
    """The traits of an official release, or None where the table has none of that version."""
    data = _data()
    if version not in data["versions"]:
        return None
    index = data["versions"].index(version)
    codes = {
        path: code
        for path, spans in _keys().items()
        for first, last, code in spans
        if first <= index <= last
    }
    children: dict[tuple[str, ...], list[str]] = {}
    for path in codes:
        if path:
            children.setdefault(path[:-1], []).append(path[-1])
    names = [path[0] for path in codes if len(path) == 1]
    definitions = {name[1:]: _node((name,), codes, children) for name in names if name[:1] == "#"}
    root = _node(("",), codes, children)
    return from_data({**data["releases"][index], "root": root, "definitions": definitions})


def first(key: str) -> str:
    """The oldest release from which on every one reads the key; '' where the newest does not."""
    since = ""
    for version in reversed(versions()):
        known = traits(version)
        if known is None or not known.has(key):
            break
        since = version
    return since


def as_data(all_traits: list[dict[str, Any]]) -> dict[str, Any]:
    """The table of several releases, oldest first, each as `traits_cache.as_data` gives it."""
    spans: dict[str, list[list[Any]]] = {}
    for index, data in enumerate(all_traits):
        roots = {"": data["root"]} | {f"#{name}": n for name, n in data["definitions"].items()}
        for name, node in roots.items():
            for path, code in _codes((name,), node):
                rows = spans.setdefault(json.dumps(path, separators=(",", ":")), [])
                if rows and rows[-1][1] == index - 1 and rows[-1][2] == code:
                    rows[-1][1] = index
                else:
                    rows.append([index, index, code])
    releases = [
        {key: item for key, item in data.items() if key not in ("root", "definitions")}
        for data in all_traits
    ]
    return {
        "versions": [data["version"] for data in all_traits],
        "releases": releases,
        "keys": dict(sorted(spans.items())),
    }


def _codes(path: tuple[str, ...], node: Node | str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each section below a node as text: `#name`, or what becomes of other keys and of items."""
    if isinstance(node, str):
        yield path, node
        return
    rest, items = node.get(REST, ""), node.get(ITEMS, "")
    yield (
        path,
        (_REST.get(rest, "-") if isinstance(rest, str) and rest[:1] != "#" else "m")
        + ("-" if items == "" else "f" if items == FREE else "l"),
    )
    for key, item in node.get(KEYS, {}).items():
        yield from _codes((*path, key), item)
    if not isinstance(rest, str) or rest[:1] == "#":
        yield from _codes((*path, _ANY), rest)
    if items not in ("", FREE):
        yield from _codes((*path, _ITEM), items)


def _node(
    path: tuple[str, ...],
    codes: Mapping[tuple[str, ...], str],
    children: Mapping[tuple[str, ...], list[str]],
) -> Node | str:
    code = codes[path]
    if code[0] == "#":
        return code
    below = {name: _node((*path, name), codes, children) for name in children.get(path, ())}
    kinds = {letter: kind for kind, letter in _REST.items()}
    node: dict[str, Any] = {}
    if code[0] != "-":
        own = {key: item for key, item in below.items() if key not in (_ANY, _ITEM)}
        node = {KEYS: own, REST: below[_ANY] if code[0] == "m" else kinds[code[0]]}
    if code[1] != "-":
        node[ITEMS] = FREE if code[1] == "f" else below[_ITEM]
    return node


@functools.cache
def _keys() -> Mapping[tuple[str, ...], Any]:
    keys = _data()["keys"]
    paths = json.loads(f"[{','.join(keys)}]")  # one by one takes three times as long
    return dict(zip(map(tuple, paths), keys.values(), strict=True))


@functools.cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(gzip.decompress(_FILE.read_bytes()))
    return data
