"""What one value of an object may be, as the API server judges it: each check names the fault.

Source: kubernetes/pkg/apis/*/validation and apimachinery/pkg/util/validation, 1.34. A value of
another type than a check is about is left to the schema.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from generator.kube.quantity import quantity
from generator.lint.objects.label_fields import SUBDOMAIN, is_key, is_value

Check = Callable[[Any], str]
"""Gives what is wrong with a value, or ''."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_CONFIG_KEY = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}")
_VARIABLE = re.compile(r"[ -<>-~]+")
_SYSCTL = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
)
_ZEROS = re.compile(r"(?<![0-9a-fA-F:.])0+(?=[0-9])|(?<=\.)0+(?=[0-9])")
_PERCENT = re.compile(r"[0-9]+%")
_PATH = re.compile(r"[-A-Za-z0-9/._~%!$&'()*+,;=:]+")
_NATIVE = ("cpu", "memory", "ephemeral-storage", "storage")


def one_of(*allowed: str) -> Check:
    """A text of these; '' is to be named where it stands for a default."""
    words = f"is not one of {', '.join(filter(None, allowed))}"
    return lambda value: words if isinstance(value, str) and value not in allowed else ""


def between(least: int, most: int | None = None) -> Check:
    """A number of that range; without `most` of any size."""
    words = f"is below {least}" if most is None else f"is not between {least} and {most}"

    def check(value: Any) -> str:
        is_wrong = _is_number(value) and (value < least or (most is not None and value > most))
        return words if is_wrong else ""

    return check


def like(pattern: re.Pattern[str], what: str, *, empty: bool = False) -> Check:
    """A text of that form; with `empty` '' stands for none."""

    def check(value: Any) -> str:
        is_wrong = isinstance(value, str) and not (empty and not value)
        return f"is not {what}" if is_wrong and not pattern.fullmatch(value) else ""

    return check


NAME = like(SUBDOMAIN, "a valid name of an object")
OPTIONAL_NAME = like(SUBDOMAIN, "a valid name of an object", empty=True)
LABEL = like(_LABEL, "a DNS label")
OPTIONAL_LABEL = like(_LABEL, "a DNS label", empty=True)
SERVICE = like(_SERVICE, "a valid name of a Service")
PORT_NAME = like(_PORT_NAME, "a valid name of a port", empty=True)
CONFIG_KEY = like(_CONFIG_KEY, "a valid key of a ConfigMap or Secret")
VARIABLE = like(_VARIABLE, "a valid name of an environment variable")
PREFIX = like(_VARIABLE, "a valid prefix of environment variables", empty=True)
SYSCTL = like(_SYSCTL, "a valid name of a sysctl")
SEARCH = like(
    re.compile(
        r"\.|(?=.{1,254}$)(_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?\.?"
    ),
    "a valid search domain",
)
SEGMENT = like(re.compile(r"(?!\.\.?$)[^/%]+"), "a name without / and %")
AT_LEAST_0, AT_LEAST_1 = between(0), between(1)
PORT = between(1, 65_535)


def no_steps_up(value: Any) -> str:
    """A path without `..`."""
    return "has .. in it" if isinstance(value, str) and ".." in value.split("/") else ""


def filled(value: Any) -> str:
    """Neither empty text nor an empty list or mapping."""
    return "is empty" if isinstance(value, str | list | Mapping) and not value else ""


def qualified(value: Any) -> str:
    """A name, or `domain/name`."""
    is_wrong = isinstance(value, str) and not is_key(value)
    return "is neither a name nor domain/name" if is_wrong else ""


def optional_key(value: Any) -> str:
    """The same, or nothing."""
    return qualified(value) if value else ""


def domain_path(value: Any) -> str:
    """`domain/name`."""
    domain, slash, path = value.partition("/") if isinstance(value, str) else ("a", "/", "a")
    is_path = slash and SUBDOMAIN.fullmatch(domain) and _PATH.fullmatch(path)
    return "" if is_path else "is not a domain/name"


def finalizer(value: Any) -> str:
    """`domain/name`, or one of Kubernetes' own."""
    is_key_of_domain = not isinstance(value, str) or ("/" in value and is_key(value))
    is_good = is_key_of_domain or value in ("kubernetes", "orphan", "foregroundDeletion")
    return "" if is_good else "is not a domain/name"


def cluster_address(value: Any) -> str:
    """The address of a Service: one, `None`, or none yet."""
    return "" if value in ("", "None") else address(value)


def label_value(value: Any) -> str:
    """A text that a label can have."""
    return "is not a valid label value" if isinstance(value, str) and not is_value(value) else ""


def resource(value: Any) -> str:
    """The name of a resource of containers."""
    known = not isinstance(value, str) or value in _NATIVE or value.startswith("hugepages-")
    return "" if known or ("/" in value and is_key(value)) else "is not the name of a resource"


def absolute(value: Any) -> str:
    """A path that begins with `/`."""
    return "does not begin with /" if isinstance(value, str) and not value.startswith("/") else ""


def inside(value: Any) -> str:
    """A path below another: relative, without `..`."""
    if not isinstance(value, str):
        return ""
    return "is not a path below the volume" if value[:1] == "/" or ".." in value.split("/") else ""


def inside_named(value: Any) -> str:
    """The same, and not empty."""
    return filled(value) or inside(value)


def amount(value: Any) -> str:
    """A quantity of zero or more."""
    found = None if value is None else quantity(value)
    return "" if value is None or (found is not None and found >= 0) else "is not a quantity"


def above_zero(value: Any) -> str:
    """A quantity of more than nothing."""
    return amount(value) or ("is not above 0" if value is not None and quantity(value) == 0 else "")


def share(value: Any) -> str:
    """Number or percentage, of at most 100%."""
    if not isinstance(value, str):
        return "is below 0" if _is_number(value) and value < 0 else ""
    if not _PERCENT.fullmatch(value):
        return "is neither a number nor a percentage"
    return "is above 100%" if int(value[:-1]) > 100 else ""


def number_or_share(value: Any) -> str:
    """Number or percentage, which may be above 100%."""
    return share(value) if not isinstance(value, str) or not _PERCENT.fullmatch(value) else ""


def port(value: Any) -> str:
    """A number, or the name of a port."""
    return like(_PORT_NAME, "a valid port")(value) or PORT(value)


def address(value: Any) -> str:
    """An IP address; the server takes leading zeros."""
    with contextlib.suppress(ValueError):
        if isinstance(value, str):
            ipaddress.ip_address(_ZEROS.sub("", value))
        return ""
    return "is not an IP address"


def base64_text(value: Any) -> str:
    """Bytes as base64, in one line or several."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True)
            return ""
        return "is not base64"
    return ""


def time_zone(value: Any) -> str:
    """A name of the IANA database; where there is none at hand only '' is refused."""
    is_wrong = isinstance(value, str) and (not value or (_zones() and value not in _zones()))
    return "is not a time zone of the IANA database" if is_wrong else ""


@functools.cache
def _zones() -> frozenset[str]:
    import zoneinfo

    return frozenset(zoneinfo.available_timezones()) - {"Local"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
