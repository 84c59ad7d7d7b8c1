"""Secrets out of the two sides of an object, before anything compares or prints them.

A masked value still shows that it changed, and only that: no length, no hash, nothing that could
be compared with a guess.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from generator.redaction.assignments import NAMES, VALUES
from generator.redaction.commands import arguments
from generator.redaction.names import Claim, claim, holds_secret
from generator.redaction.text import merged, secret_intervals
from generator.redaction.tokens import Interval

MASKED = "<masked>"
CHANGED = "<masked: changed>"
SEALED = "<sealed>"
RESEALED = "<sealed: resealed>"
UNSEALED = "<not yet sealed>"

_COPIES = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied"}
)
"""Annotations in which a tool keeps the whole object, secrets included."""

Slot = tuple[object, ...]
"""Where a secret stands: the way there, and for a part of a text what stands before it."""


def mask(base: Any, head: Any) -> tuple[Any, Any]:
    """Both sides of an object with their secrets masked; either may be None.

    A secret at the same place on both sides reads `<masked>` at base and, if it differs,
    `<masked: changed>` at head.
    """
    texts: dict[str, list[Interval]] = {}
    before = _Walk({}, texts)
    masked_base = before.value(base, ())
    masked_head = _Walk(before.seen, texts).value(head, ())
    return masked_base, masked_head


class _Walk:
    """One pass over one side: it replaces secrets and remembers where each one stood."""

    def __init__(self, known: dict[Slot, str], texts: dict[str, list[Interval]]) -> None:
        self._known = known
        self._texts = texts
        self.seen: dict[Slot, str] = {}

    def value(self, value: Any, path: Slot) -> Any:
        if isinstance(value, dict):
            return self._mapping(value, path)
        if isinstance(value, list | tuple):
            return self._list(value, path)
        if isinstance(value, str):
            return self._text(value, path)
        return value

    def _mapping(self, value: dict[Any, Any], path: Slot) -> dict[Any, Any]:
        return {key: self._treatment(key, value)(item, (*path, key)) for key, item in value.items()}

    def _treatment(self, key: Any, parent: dict[Any, Any]) -> Callable[[Any, Slot], Any]:
        match parent.get("kind"), key:
            case ("Secret", "data" | "stringData") | ("ConfigMap", "binaryData"):
                return self._data
            case ("SealedSecret", "spec"):
                return self._sealed_spec
            case (_, str(part)) if part.lower() in VALUES and (name := _pair_name(parent)):
                return functools.partial(self._named, name)
            case ("ExternalSecret", "spec"):
                return self._external_spec
            case (_, str(name)) if name in _COPIES:
                return self._hidden
            case (_, "args") if isinstance(command := parent.get("command"), list):
                return functools.partial(self._list, command=command)
            case (_, str(name)) if _speaks_of_secret(name, parent):
                return functools.partial(self._named, name)
        return self.value

    def _named(self, name: str, item: Any, path: Slot) -> Any:
        """Below a secret-like name: scalars are hidden, structure (a reference) is walked."""
        if isinstance(item, list) and all(isinstance(one, str) for one in item):
            return [self._named(name, one, (*path, index)) for index, one in enumerate(item)]
        scalar = isinstance(item, str | int | float) and not isinstance(item, bool)
        if scalar and holds_secret(name, str(item)):
            return self._hidden(item, path)
        return self.value(item, path)

    def _list(self, items: Sequence[Any], path: Slot, command: Sequence[Any] = ()) -> list[Any]:
        masked: list[Any] = []
        users_create = any(isinstance(item, str) and "users create" in item for item in items)
        spans = _argument_spans(command, items)
        expected = ""
        for index, item in enumerate(items):
            place = (*path, _name(item, index))
            if not isinstance(item, str):
                masked.append(self.value(item, place))
                expected = ""
                continue
            if expected and not item.startswith("-") and holds_secret(expected, item):
                masked.append(self._hidden(item, place))
            else:
                masked.append(self._text(item, place, spans.get(index, ())))
            plain_p = item == "-p" and (users_create or not _is_port(items, index + 1))
            expected = "password" if plain_p else _announced(item)
        return masked

    def _text(self, text: str, path: Slot, more: Iterable[Interval] = ()) -> str:
        # Most texts stand on both sides, and many in several containers.
        if (intervals := self._texts.get(text)) is None:
            intervals = self._texts[text] = secret_intervals(text)
        if more:
            intervals = merged((*intervals, *more))
        if not intervals:
            return text
        pieces: list[str] = []
        counts: dict[str, int] = {}
        position = 0
        for start, end in intervals:
            pieces.append(text[position:start])
            line = text[max(text.rfind("\n", position, start) + 1, position, start - 80) : start]
            counts[line] = counts.get(line, 0) + 1
            pieces.append(self._mark(text[start:end], (*path, line, counts[line]), MASKED, CHANGED))
            position = end
        return "".join((*pieces, text[position:]))

    def _hidden(self, value: Any, path: Slot) -> Any:
        """The whole value, whatever its type; null and the empty string are no secrets."""
        if value is None or value == "":
            return value
        return self._mark(_raw(value), path, MASKED, CHANGED)

    def _data(self, value: Any, path: Slot) -> Any:
        """The data of a Secret: keys are shown, values never."""
        if not isinstance(value, dict):
            return self._hidden(value, path)
        return {key: self._hidden(item, (*path, key)) for key, item in value.items()}

    def _sealed_spec(self, value: Any, path: Slot) -> Any:
        """A SealedSecret's spec: ciphertext is shown as sealed, resealed or not yet sealed."""
        if not isinstance(value, dict):
            return self._hidden(value, path)
        masked = self._mapping(value, path)
        for field in ("encryptedData", "data"):
            if field in value:
                masked[field] = self._ciphertext(value[field], (*path, field))
        template = value.get("template")
        if isinstance(template, dict):
            masked["template"] = self._mapping({"kind": "Secret", **template}, (*path, "template"))
            if "kind" not in template:
                del masked["template"]["kind"]
        return masked

    def _external_spec(self, value: Any, path: Slot) -> Any:
        """An ExternalSecret's spec: what its template writes itself, and does not look up."""
        masked = self.value(value, path)
        data, place = value, masked
        for key in ("target", "template", "data"):
            if not isinstance(data, dict) or not isinstance(data.get(key), dict):
                return masked
            data, place, path = data[key], place[key], (*path, key)
        for key, item in data.items():
            if "{{" not in str(item):
                place[key] = self._hidden(item, (*path, key))
        return masked

    def _ciphertext(self, value: Any, path: Slot) -> Any:
        if isinstance(value, dict):
            return {key: self._ciphertext(item, (*path, key)) for key, item in value.items()}
        return UNSEALED if value in (None, "") else self._mark(_raw(value), path, SEALED, RESEALED)

    def _mark(self, raw: str, slot: Slot, same: str, changed: str) -> str:
        self.seen[slot] = raw
        return changed if self._known.get(slot, raw) != raw else same


def _pair_name(parent: dict[Any, Any]) -> str:
    """The secret-like name in `{name: DB_PASSWORD, value: …}`, or ''."""
    names = (item for key, item in parent.items() if str(key).lower() in NAMES)
    return next((str(name) for name in names if claim(str(name)) is not Claim.NONE), "")


def _speaks_of_secret(key: str, parent: dict[Any, Any]) -> bool:
    """`secretKey` beside one of these names a key inside a Secret, not a secret."""
    names_a_key = key == "secretKey" and not parent.keys().isdisjoint(
        {"remoteRef", "secretName", "envName"}
    )
    return claim(key) is not Claim.NONE and not names_a_key


def _announced(item: str) -> str:
    """The name under which the next argument stands: `--token` or `Authorization`."""
    if item.lower() in ("authorization", "proxy-authorization") or item.startswith("X-"):
        return item
    return item if item.startswith("-") and "=" not in item and " " not in item else ""


def _argument_spans(command: Sequence[Any], items: Sequence[Any]) -> dict[int, list[Interval]]:
    spans: dict[int, list[Interval]] = {}
    if any(isinstance(item, str) and item.startswith("-") for item in items):
        words = [item if isinstance(item, str) else "" for item in (*command, *items)]
        for index, start, end in arguments(words):
            spans.setdefault(index - len(command), []).append((start, end))
    return spans


def _name(item: Any, index: int) -> object:
    name = item.get("name") if isinstance(item, dict) else None
    return ("name", name) if isinstance(name, str) else index


def _is_port(items: Sequence[Any], index: int) -> bool:
    following = items[index] if index < len(items) else ""
    return isinstance(following, str) and following.isdigit() and 2 <= len(following) <= 5


def _raw(value: Any) -> str:
    """Bytes for comparing only: the type is part of it, so that 1 differs from "1"."""
    return json.dumps(value, sort_keys=True, default=str)
