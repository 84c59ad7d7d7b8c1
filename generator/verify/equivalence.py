"""When a live object is as desired although it is not equal: defaults, units, spellings.

API servers fill in what is not given, drop what is empty, and write quantities in their own way.
`as_desired` leaves of the live object only what the desired one speaks of, in its spelling.
"""

from __future__ import annotations

import base64
import decimal
import re
from collections.abc import Mapping, Sequence
from typing import Any

from generator.kube.resource import Object

_SERVER_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
_IDENTIFYING = ("name", "mountPath", "containerPort", "port", "key", "topologyKey", "type")
"""Fields by which members of a list are paired, the first that all members have uniquely."""
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(m|k|[KMGTPE]i?|e[+-]?\d+|E[+-]?\d+)?")
_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "E": 10**18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}
_QUANTITIES = frozenset(
    {
        "averageValue",
        "capacity",
        "default",
        "defaultRequest",
        "hard",
        "limits",
        "max",
        "min",
        "requests",
        "sizeLimit",
    }
)
"""Fields below which a number is a quantity; elsewhere `1.10` is not `1.1`."""
_EMPTY: tuple[Any, ...] = (None, "", 0, False, {}, [])


def without_server_fields(manifest: Object) -> dict[str, Any]:
    """The object without status and without what only the server writes."""
    kept = {name: value for name, value in manifest.items() if name != "status"}
    metadata = kept.get("metadata")
    if isinstance(metadata, Mapping):
        kept["metadata"] = {
            name: value for name, value in metadata.items() if name not in _SERVER_METADATA
        }
    return kept


def as_desired(live: Object, desired: Object) -> tuple[Any, Any]:
    """Live and desired, both cut down to the fields that git gives; equal if nothing drifted."""
    wanted = without_server_fields(_secret_as_stored(desired))
    metadata = wanted.get("metadata")
    if isinstance(metadata, Mapping):
        # Its namespace is given by the sync when the manifest names none.
        wanted["metadata"] = {k: v for k, v in metadata.items() if k != "namespace"}
    return _projected(live, wanted), wanted


def _projected(live: Any, desired: Any, *, amount: bool = False) -> Any:
    """The live value in the words of the desired one where both mean the same."""
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        return _mapping(live, desired, amount=amount)
    if isinstance(desired, list) and isinstance(live, list):
        return _list(live, desired)
    same = _same_scalar(live, desired) or (amount and _same_amount(live, desired))
    return desired if same else live


def _mapping(
    live: Mapping[str, Any], desired: Mapping[str, Any], *, amount: bool
) -> dict[str, Any]:
    found = {}
    for name, wanted in desired.items():
        if name in live:
            found[name] = _projected(live[name], wanted, amount=amount or name in _QUANTITIES)
        elif _is_empty(wanted):
            found[name] = wanted
    return found


def _list(live: Sequence[Any], desired: Sequence[Any]) -> list[Any]:
    """Members paired by what identifies them; without that, by their place."""
    field = _identity(live, desired)
    if field is None:
        paired = [_projected(one, two) for one, two in zip(live, desired, strict=False)]
        return [*paired, *live[len(desired) :]]
    known = {_label(item, field): item for item in live}
    return [
        _projected(known[_label(item, field)], item)
        for item in desired
        if _label(item, field) in known
    ]


def _identity(live: Sequence[Any], desired: Sequence[Any]) -> str | None:
    for field in _IDENTIFYING:
        for side in (live, desired):
            labels = [_label(item, field) for item in side]
            if None in labels or len(set(labels)) != len(labels):
                break
        else:
            return field if desired else None
    return None


def _label(item: Any, field: str) -> str | None:
    """What identifies a member; a port number may be used once by TCP and once by UDP."""
    if not isinstance(item, Mapping) or field not in item:
        return None
    protocol = item.get("protocol", "TCP") if field in ("port", "containerPort") else ""
    return f"{item[field]}/{protocol}"


def _same_scalar(live: Any, desired: Any) -> bool:
    if isinstance(live, bool) or isinstance(desired, bool):
        return live is desired or (_is_empty(live) and _is_empty(desired))
    return bool(live == desired) or (_is_empty(live) and _is_empty(desired))


def _same_amount(live: Any, desired: Any) -> bool:
    one, other = _quantity(live), _quantity(desired)
    return one is not None and one == other


def _quantity(value: Any) -> decimal.Decimal | None:
    """The number that a Kubernetes quantity means: `1000m` is 1, `1Gi` is 1024Mi."""
    if not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    number, unit = decimal.Decimal(match[1]), match[2] or ""
    if unit == "m":
        return number / 1000
    if unit in _UNITS:
        return number * _UNITS[unit]
    exponent = int(unit[1:])
    return number.scaleb(exponent) if abs(exponent) < 100 else None


def _is_empty(value: Any) -> bool:
    """What an API server does not store, at any depth."""
    if isinstance(value, Mapping):
        return all(_is_empty(item) for item in value.values())
    return any(value is item or (value == item and value is not True) for item in _EMPTY)


def _secret_as_stored(manifest: Object) -> Object:
    """`stringData` is kept as base64 below `data`."""
    if manifest.get("kind") != "Secret" or not isinstance(manifest.get("stringData"), Mapping):
        return manifest
    data = manifest.get("data")
    stored = {
        name: base64.b64encode(str(value).encode()).decode()
        for name, value in manifest["stringData"].items()
    }
    rest = {name: value for name, value in manifest.items() if name != "stringData"}
    return {**rest, "data": {**(data if isinstance(data, Mapping) else {}), **stored}}
