"""PgBouncer between Airflow and its database: where a connection ends behind it."""

from __future__ import annotations

import itertools
import re

from generator.impact.connection import address, decoded, labels, service_of
from generator.impact.context import View
from generator.kube import fields

POOLER = "pgbouncer"
"""The component of the pooler, as the chart labels it."""

INI = "pgbouncer.ini"
"""The key of its configuration."""
_SECTION = re.compile(r"^\s{0,8}\[(\w{1,64})\]", re.MULTILINE)
# pgbouncer.org/config.html: `name = key=value key='value' …`
_ENTRY = re.compile(r"^\s{0,8}([^\s=;#]{1,128})\s{0,8}=\s{0,8}(\S[^\n]{0,4096})$", re.MULTILINE)
_PART = re.compile(r"(\w{1,32})\s{0,8}=\s{0,8}(?:'([^'\n]{0,1024})'|([^\s']{1,1024}))")
_PORTS = {"postgres": "5432", "postgresql": "5432", "mysql": "3306"}


def ini(view: View) -> str | None:
    """The text of pgbouncer.ini; None where no rendered object has it."""
    for manifest in view.of_kind("Secret", "ConfigMap").values():
        data = fields.text(manifest, "data", INI)
        text = fields.text(manifest, "stringData", INI) or decoded(data) or data
        if text:
            return text
    return None


def destination(view: View, uri: str) -> str | None:
    """`host:port/database` of the database itself; None where a pooler hides it.

    The pooler is looked through by its pgbouncer.ini. Without an address it is empty.
    """
    found = address(uri)
    if not found:
        return ""
    place, _, name = found.partition("/")
    host, _, port = place.partition(":")
    if not _is_pooler(view, host):
        scheme = uri.partition("://")[0].partition("+")[0]
        return _full(view, host, port or _PORTS.get(scheme, ""), name)
    text = ini(view)
    entries = _databases(text) if text else {}
    target = entries.get(name) or entries.get("*")
    if not target or "host" not in target:
        return None
    return _full(view, target["host"], target.get("port", "5432"), target.get("dbname", name))


def _databases(text: str) -> dict[str, dict[str, str]]:
    starts = [(match[1], match.end()) for match in _SECTION.finditer(text)] + [("", len(text))]
    for (section, start), (_, end) in itertools.pairwise(starts):
        if section == "databases":
            return {
                match[1]: {part[1]: part[2] or part[3] for part in _PART.finditer(match[2])}
                for match in _ENTRY.finditer(text, start, end)
            }
    return {}


def _is_pooler(view: View, host: str) -> bool:
    services = {
        (key.namespace, key.name): key
        for key, manifest in view.of_kind("Service").items()
        if fields.text(manifest, "spec", "selector", "component") == POOLER
    }
    return service_of(host, services, view.side.namespace) is not None


def _full(view: View, host: str, port: str, name: str) -> str:
    """The same for all names that a Service has."""
    parts = (*labels(host), view.side.namespace)[:2] if labels(host) else (host.lower(),)
    return f"{'.'.join(parts)}:{port}/{name}"
