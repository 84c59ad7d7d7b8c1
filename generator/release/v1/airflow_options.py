"""Options of Airflow as a release sets them: environment variables before airflow.cfg."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.core.layered import lookup
from generator.release.v1.names import VALUES_KEY

_NAMES = re.compile(r"name:\s*[\"']?([A-Z_][A-Z0-9_]*)")
_ENV_FROM = re.compile(r"(secretRef|configMapRef):\s*\{?\s*name:\s*[\"']?([\w.-]+)")
_KINDS = {"secretRef": "Secret", "configMapRef": "ConfigMap"}
_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_SMTP = "airflow.utils.email.send_email_smtp"
_SMTP_PORT = 25
_STATSD_PORT = 9125  # the chart's default
_HTTPS = 443


@dataclasses.dataclass(frozen=True, slots=True)
class Unread:
    """An option that may be set out of sight: where, and the Secret whose keys are variables."""

    where: str
    secret: str = ""


def option(values: Mapping[str, Any], section: str, name: str, part: str = "") -> str:
    """What Airflow's containers are given for an option, those of `part` first; or nothing."""
    variable = variable_of(section, name)
    for path in (*_own(part), "env"):
        for entry in _rows(values, path):
            if entry.get("name") == variable and "valueFrom" not in entry:
                return str(entry.get("value") or "")
    return str(lookup(values, f"config.{section}.{name}") or "")


def is_on(values: Mapping[str, Any], section: str, name: str, part: str = "") -> bool:
    """Whether an option is true as Airflow reads it."""
    return option(values, section, name, part).strip().lower() in ("t", "true", "1")


def unread(values: Mapping[str, Any], variables: Iterable[str], part: str = "") -> Iterator[Unread]:
    """Where one of these variables comes from something that is not read."""
    forms = {f"{name}{form}" for name in variables for form in ("", "_CMD", "_SECRET")}
    hidden = {f"{name}{form}" for name in variables for form in ("_CMD", "_SECRET")}
    for path in (*_own(part), "env"):
        for entry in _rows(values, path):
            name = str(entry.get("name") or "")
            if name in hidden or (name in forms and "valueFrom" in entry):
                yield Unread(f"{name} of {path}")
    for entry in _rows(values, "secret"):
        if entry.get("envName") in forms:
            yield Unread(f"{entry['envName']} of Secret {entry.get('secretName')}")
    for name in sorted(forms & {*_NAMES.findall(str(lookup(values, "extraEnv") or ""))}):
        yield Unread(f"{name} of extraEnv")
    whole = str(lookup(values, "extraEnvFrom") or "")
    for kind, name in _ENV_FROM.findall(whole):
        yield Unread(f"variables of {_KINDS[kind]} {name}", name if kind == "secretRef" else "")
    if whole.strip() and not _ENV_FROM.search(whole):
        yield Unread("variables of extraEnvFrom")


def variable_of(section: str, name: str) -> str:
    """The environment variable of an option."""
    return f"AIRFLOW__{section}__{name}".upper()


_JOBS = {
    "run-airflow-migrations": "migrateDatabaseJob",
    "create-user-job": "createUserJob",
    "airflow-cleanup-pods": "cleanup",
    "database-cleanup": "databaseCleanup",
}


def _own(part: str) -> tuple[str, ...]:
    """Where the variables of one component stand, the ones that win first."""
    if part == "worker":
        return ("workers.celery.env", "workers.kubernetes.env", "workers.env")
    key = VALUES_KEY.get(part) or _JOBS.get(part)
    return (f"{key}.env",) if key else ()


def _rows(values: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    found = lookup(values, path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def statsd_port(values: Mapping[str, Any], part: str = "") -> int:
    """The UDP port of the StatsD that a component sends to, 0 for a socket or where it is off."""
    socket = any(
        row.get("name") == "DD_DOGSTATSD_URL" and str(row.get("value")).startswith("unix:")
        for path in (*_own(part), "env")
        for row in _rows(values, path)
    )
    if socket or not is_on(values, "metrics", "statsd_on", part):
        return 0
    port = option(values, "metrics", "statsd_port", part)
    return int(port) if port.isdecimal() else _STATSD_PORT


def sends_mail(values: Mapping[str, Any], part: str = "") -> bool:
    """Whether tasks and callbacks send mail over the network: Airflow's default is localhost."""
    backend = option(values, "email", "email_backend", part)
    return backend not in ("", _SMTP) or option(values, "smtp", "smtp_host", part) not in _LOCAL


def mail_port(values: Mapping[str, Any]) -> int:
    """The port of the mail server: `[smtp] smtp_port`, or HTTPS for services with an API."""
    parts = ("", *VALUES_KEY)
    if any(option(values, "email", "email_backend", part) not in ("", _SMTP) for part in parts):
        return _HTTPS
    ports = (option(values, "smtp", "smtp_port", part) for part in parts)
    port = next(filter(None, ports), "")
    return int(port) if port.isdecimal() else _SMTP_PORT
