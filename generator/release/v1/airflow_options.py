"""Options of Airflow as a release sets them: environment variables before airflow.cfg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup

_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_SMTP = "airflow.utils.email.send_email_smtp"
_SMTP_PORT = 25
_HTTPS = 443


def option(values: Mapping[str, Any], section: str, name: str) -> str:
    """What all of Airflow's containers are given for an option, or nothing.

    Variables of a single component, and those that come from Secrets, are not read.
    """
    variable = f"AIRFLOW__{section}__{name}".upper()
    entries = lookup(values, "env")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("name") == variable:
            return str(entry.get("value") or "")
    return str(lookup(values, f"config.{section}.{name}") or "")


def sends_mail(values: Mapping[str, Any]) -> bool:
    """Whether tasks and callbacks send mail over the network: Airflow's default is localhost."""
    backend = option(values, "email", "email_backend")
    return backend not in ("", _SMTP) or option(values, "smtp", "smtp_host") not in _LOCAL


def mail_port(values: Mapping[str, Any]) -> int:
    """The port of the mail server: `[smtp] smtp_port`, or HTTPS for services with an API."""
    if option(values, "email", "email_backend") not in ("", _SMTP):
        return _HTTPS
    port = option(values, "smtp", "smtp_port")
    return int(port) if port.isdecimal() else _SMTP_PORT
