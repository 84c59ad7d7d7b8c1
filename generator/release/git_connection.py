"""The Airflow connection with which a git DAG bundle reaches its repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup

NAME_SUFFIX = "-git-connection"
KNOWN_HOSTS = "/opt/airflow-git/known_hosts"
"""Where `gen-env upgrade --dags bundles` mounts git-sync's known hosts."""


def mounts_known_hosts(values: Mapping[str, Any]) -> bool:
    """Whether all Airflow containers get that file, by a mount of the whole release."""
    folder = KNOWN_HOSTS.rpartition("/")[0]
    mounts = lookup(values, "volumeMounts") or []
    return any(isinstance(item, Mapping) and item.get("mountPath") == folder for item in mounts)


def uses_ssh(repository: str) -> bool:
    """Whether a git URL is fetched over ssh: `ssh://…` or `user@host:path`."""
    return repository.startswith("ssh://") or "://" not in repository
