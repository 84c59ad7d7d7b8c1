"""How an unquoted scalar is read: by YAML 1.2, by YAML 1.1 and by Helm and Kubernetes."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any

from generator.core.layered import Path

Scalar = None | bool | int | float | str
_Report = Callable[[Path, str], None]


class Plain(str):
    """An unquoted scalar that some version of YAML would not read as a string.

    Its text is exactly what was written (`4610234`, `1234e5`, `3.10`, `on`, `2027-03-31`), so a
    field that wants a string takes it as it is; `core` and `helm` give the other reading.
    """

    __slots__ = ()


NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# yaml.org/type/bool.html; go-yaml v2, which Helm and Kubernetes use, reads all of them.
_OLD_BOOLEANS = _CORE_BOOLEANS | {
    word: truth
    for truth, words in ((True, "y Y yes Yes YES on On ON"), (False, "n N no No NO off Off OFF"))
    for word in words.split()
}
_SPECIAL_FLOATS = {
    **{sign + word: float("inf") for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: float("-inf") for word in (".inf", ".Inf", ".INF")},
    **{word: float("nan") for word in (".nan", ".NaN", ".NAN")},
}

_CORE_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_CORE_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OLD_INT = re.compile(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?P<base60>(?::[0-5]?[0-9])*))"
)
_OLD_FLOAT = re.compile(
    r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?"
    r"|[0-9][0-9_]*(?P<base60>(?::[0-5]?[0-9])+)\.[0-9_]*)"
)
_GO_INT = re.compile(r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)"
                     r"|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))")  # fmt: skip
_GO_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
_FIRST = frozenset("0123456789+-.yYnNtTfFoO~=<")


def is_plain(text: str) -> bool:
    """Whether an unquoted `text` means something else than a string to some reader of YAML."""
    if text in NULLS:
        return True
    return text[0] in _FIRST and (
        not isinstance(core(text), str) or not isinstance(helm(text), str) or _old(text) != "string"
    )


def core(text: str) -> Scalar:
    """What YAML 1.2 (core schema) reads: yaml.org/spec/1.2.2, section 10.3.2."""
    text = str(text)  # never give a `Plain` back
    if text in NULLS:
        return None
    if text in _CORE_BOOLEANS:
        return _CORE_BOOLEANS[text]
    if _CORE_INT.fullmatch(text):
        return _integer(text, 8 if text[:2] == "0o" else 16 if text[:2] == "0x" else 10)
    return _float(text)


def helm(text: str) -> Scalar:
    """What Helm, Argo CD and Kubernetes read: sigs.k8s.io/yaml, which is go-yaml v2's resolve.go.

    Every boolean of YAML 1.1, octal as `017`, `0o17`; dates and base 60 stay strings.
    """
    text = str(text)
    if text in NULLS:
        return None
    if text[0] not in _FIRST:
        return text
    if text in _OLD_BOOLEANS:
        return _OLD_BOOLEANS[text]
    if text[0] == "." or text in _SPECIAL_FLOATS:
        return _float(text)
    return _go_number(text) if text[0] in "0123456789+-" else text


def differs(text: str) -> bool:
    """Whether YAML 1.1, YAML 1.2 and Helm do not all read an unquoted `text` alike."""
    ours, theirs = core(text), helm(text)
    same = type(ours) is type(theirs) and (ours == theirs or ours != ours)
    return not same or _old(text) != _KIND[type(ours)]


def kinds(text: str) -> tuple[str, str, str]:
    """What YAML 1.1, Helm and YAML 1.2 read: null, boolean, number, date, special or string."""
    return _old(text), _KIND[type(helm(text))], _KIND[type(core(text))]


_KIND = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string"}


def _old(text: str) -> str:
    """The kind of scalar that YAML 1.1 reads, by the tables of yaml.org/type."""
    if text in NULLS:
        return "null"
    if text in _OLD_BOOLEANS:
        return "boolean"
    if text in _SPECIAL_FLOATS or _OLD_INT.fullmatch(text) or _OLD_FLOAT.fullmatch(text):
        return "number"
    if _DATE.fullmatch(text):
        return "date"
    return "special" if text in {"=", "<<"} else "string"


def _go_number(text: str) -> Scalar:
    digits = text.replace("_", "")
    match = _GO_INT.fullmatch(digits)
    if match and match.lastgroup:
        value = _integer(match["sign"] + match[match.lastgroup], _GO_BASES[match.lastgroup])
        if isinstance(value, int) and -(2**63) <= value < 2**64:
            return value
    return value if isinstance(value := _float(digits), float) else text


def _integer(digits: str, base: int) -> Scalar:
    # Python refuses to convert thousands of digits; such a number is out of everyone's range.
    try:
        return int(digits, base)
    except ValueError:
        return digits


def _float(text: str) -> Scalar:
    if text in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[text]
    if not _CORE_FLOAT.fullmatch(text):
        return text
    value = float(text)
    # Go's strconv refuses what overflows, and so it stays a string.
    return text if math.isinf(value) else value


def helm_key(text: str) -> str:
    """The JSON key that Helm and Kubernetes make of an unquoted key: `on` becomes `true`."""
    value = helm(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _go_float(value)
    return str(text) if value is None else str(value)


def _go_float(value: float) -> str:
    """A float as sigs.k8s.io/yaml writes it into a key: strconv's shortest form for 32 bits."""
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if abs(value) > 3.4e38:
        return ".inf" if value > 0 else "-.inf"
    single = struct.pack("f", value)
    short = next(d for d in range(9) if struct.pack("f", float(f"{value:.{d}e}")) == single)
    scientific = f"{value:.{short}e}"
    exponent = int(scientific.partition("e")[2])
    return f"{value:.{max(short + 1, 6)}g}" if -4 <= exponent < 6 else scientific


def as_json_types(value: Any) -> Any:
    """The data with every `Plain` as YAML 1.2 reads it; dates and `on` stay strings."""
    if isinstance(value, Plain):
        return core(value)
    if isinstance(value, dict):
        return {str(key): as_json_types(item) for key, item in value.items()}
    return [as_json_types(item) for item in value] if isinstance(value, list) else value


def as_helm(value: Any) -> tuple[Any, list[tuple[Path, str]]]:
    """The data as Helm reads it, and the scalars and keys that others read differently.

    Each finding is the path and a message that says to quote it; the path is the written one.
    """
    findings: list[tuple[Path, str]] = []
    return _resolve(value, (), lambda path, text: findings.append((path, text))), findings


def _resolve(value: Any, path: Path, report: _Report) -> Any:
    if isinstance(value, Plain):
        if differs(value):
            report(path, _message("value", value))
        return helm(value)
    if isinstance(value, dict):
        return {
            _resolve_key(key, (*path, key), report): _resolve(item, (*path, key), report)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_resolve(item, (*path, index), report) for index, item in enumerate(value)]
    return value


def _resolve_key(key: str, path: Path, report: _Report) -> str:
    if not isinstance(key, Plain):
        return key
    # A plain number mostly makes the same key everywhere; `on`, `010` and `1.10` do not.
    made = helm_key(key)
    if made != key or differs(key):
        report(path, _message("key", key))
    return made


def _message(what: str, text: str) -> str:
    old, helm, core = kinds(text)
    if old == helm == core:
        return f"this {what} is not quoted, and YAML 1.1 and 1.2 read different {old}s: quote it"
    return (
        f"this {what} is not quoted: YAML 1.1 reads a {old}, Helm a {helm}, "
        f"YAML 1.2 a {core}; quote it"
    )
