"""The company's own certificate authorities: one file in every pod, and who is told to trust it.

Each library has a variable of its own (`SSL_CERT_FILE`: OpenSSL, Python's ssl, Go; libpq and
asyncpg: `PGSSLROOTCERT`). The clients of Elasticsearch and OpenSearch have options alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.kube import fields
from generator.model.environment import Environment
from generator.model.secrets import CertificateAuthorities, Trusting

_NAME, _FOLDER = "company-ca", "/etc/company-ca"
FILE = f"{_FOLDER}/ca.crt"
"""Where pods find the certificates."""

GIT, LDAP_VARIABLE = "GIT_SSL_CAINFO", "AIRFLOW_LDAP_CA_FILE"
_VARIABLES: Mapping[Trusting, tuple[str, ...]] = {
    "database": ("PGSSLROOTCERT",),
    "git": (GIT,),
    "https": (LDAP_VARIABLE, "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
}


def volume(ca: CertificateAuthorities) -> dict[str, Any]:
    """The volume: that one key, so that a private key beside it stays outside."""
    items = [{"key": ca.key, "path": "ca.crt"}]
    if ca.config_map is not None:
        return {"name": _NAME, "configMap": {"name": ca.config_map, "items": items}}
    return {"name": _NAME, "secret": {"secretName": ca.secret, "items": items}}


def mount() -> dict[str, Any]:
    """Where a container has it."""
    return {"name": _NAME, "mountPath": _FOLDER, "readOnly": True}


def variables(environment: Environment) -> dict[str, str]:
    """Environment of all Airflow containers."""
    return {
        name: FILE
        for what, names in _VARIABLES.items()
        if environment.trusts(what)
        for name in names
        if environment.auth.ldap is not None or name != LDAP_VARIABLE
    }


def secret(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name and key of the Secret with the certificates, as merged values mount it.

    A volume that only has the same name is somebody's own.
    """
    for item in fields.entries(values, "volumes"):
        source = fields.section(item, "secret")
        pairs = fields.entries(source, "items")
        if item.get("name") == _NAME and [pair.get("path") for pair in pairs] == ["ca.crt"]:
            return fields.text(source, "secretName"), fields.text(pairs[0], "key")
    return None
