"""Checks of secrets that stand in the open: in values, in airflow.cfg, in variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generator.core.layered import Path
from generator.core.rule import ERROR_IN_PRODUCTION
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check
from generator.lint.values.open_connection import is_open
from generator.redaction.names import holds_secret
from generator.redaction.text import secret_intervals

_KWARGS = ("config", "secrets", "backend_kwargs")

# Value paths that hold a secret, and the key that takes a Secret's name instead.
INLINE = {
    "fernetKey": "{key:fernetKeySecretName}",
    "apiSecretKey": "{key:apiSecretKeySecretName}",
    "jwtSecret": "{key:jwtSecretName}",
    "webserverSecretKey": "{key:webserverSecretKeySecretName}",
    "redis.password": "{key:redis.passwordSecretName} and {key:data.brokerUrlSecretName}",
    "data.brokerUrl": "{key:data.brokerUrlSecretName}",
    "data.metadataConnection.pass": "{key:data.metadataSecretName}",
    "data.resultBackendConnection.pass": "{key:data.resultBackendSecretName}",
    "dags.gitSync.sshKey": "{key:dags.gitSync.sshKeySecret}",
    "flower.password": "{key:flower.secretName}",
    "registry.connection.pass": "{key:imagePullSecrets}",
    "elasticsearch.connection.pass": "{key:elasticsearch.secretName}",
    "opensearch.connection.pass": "{key:opensearch.secretName}",
    "postgresql.auth.password": "{key:postgresql.auth.existingSecret}",
    "postgresql.auth.postgresPassword": "{key:postgresql.auth.existingSecret}",
    "postgresql.auth.replicationPassword": "{key:postgresql.auth.existingSecret}",
    "pgbouncer.ssl.key": "{key:pgbouncer.configSecretName} with a volume of your own",
    "kerberos.keytabBase64Content": "a Secret of your own",
    "createUserJob.defaultUser.password": "{key:createUserJob.args} and {key:createUserJob.env}",
    "webserver.defaultUser.password": "{key:createUserJob.args} and {key:createUserJob.env}",
}
# Options of airflow.cfg that hold a secret; they end up in a ConfigMap.
_OPTIONS = {
    "core": {"fernet_key", "internal_api_secret_key"},
    "database": {"sql_alchemy_conn", "sql_alchemy_conn_async"},
    "celery": {"broker_url", "result_backend", "flower_basic_auth"},
    "webserver": {"secret_key"},
    "api": {"secret_key"},
    "api_auth": {"jwt_secret"},
    "smtp": {"smtp_password"},
    "sentry": {"sentry_dsn"},
    "kerberos": {"password"},
    "elasticsearch": {"host"},
    "opensearch": {"host", "password"},
}
# Airflow's own variables with an address that usually holds a password, though no name says so.
_CONNECTION = re.compile(r"(?:SQL_ALCHEMY_CONN(?:_ASYNC)?|BROKER_URL|RESULT_BACKEND)$")


@check(
    "secrets/inline",
    WARNING,
    "A secret in the values",
    why="Whoever reads the repository, its history or the Application has it; changing it means a "
    "commit that everybody sees.",
    tiers=ERROR_IN_PRODUCTION,
)
def inline(values: ValuesInput) -> Iterator[Finding]:
    """A password, key or URL that the user wrote in the open."""
    for key, instead in INLINE.items():
        value = values.get(key)
        if values.decided(key) and isinstance(value, str) and value and "{{" not in value:
            yield Finding(
                key,
                f"everybody who can read this file has the secret in {key}",
                (
                    f"use {instead} and remove the value; then change the secret",
                    "remove the value, and change the secret",
                ),
            )
    for name in sorted(values.table("extraSecrets")):
        entry: Path = ("extraSecrets", name)
        if values.get((*entry, "data")) or values.get((*entry, "stringData")):
            yield Finding(
                entry,
                "everybody who can read this file has the content of that Secret",
                "create it as SealedSecret or ExternalSecret, and remove it here",
            )


@check(
    "secrets/in-config",
    ERROR,
    "A secret in airflow.cfg",
    why="`config` is rendered into a ConfigMap, which more people and pods may read than Secrets.",
)
def in_config(values: ValuesInput) -> Iterator[Finding]:
    """Options of `config` that hold secrets, by their name or by the shape of their value."""
    for section, options in sorted(values.table("config").items()):
        for option, value in sorted(options.items()) if isinstance(options, Mapping) else ():
            path = ("config", section, option)
            if not values.given(path) or not isinstance(value, str):
                continue
            if path == _KWARGS and secret_intervals(value):
                yield Finding(
                    path,
                    "credentials of the secrets backend land in a ConfigMap",
                    "authenticate by workload identity, or set AIRFLOW__SECRETS__BACKEND_KWARGS"
                    " from a Secret",
                )
            elif _holds_secret(section, option, value):
                yield Finding(
                    path,
                    "the secret lands in a ConfigMap that everybody in the namespace can read",
                    f"remove it and set AIRFLOW__{section.upper()}__{option.upper()} from a Secret",
                )


def _holds_secret(section: str, option: str, value: str) -> bool:
    """URLs count when they carry a password; other options of the table count when they are set."""
    if "{{" in value or not value:
        return False
    if option in _OPTIONS.get(section, ()) and option not in (
        "host",
        "broker_url",
        "result_backend",
    ):
        return True
    return holds_secret(option, value) or bool(secret_intervals(value))


@check(
    "secrets/in-environment",
    ERROR,
    "A secret in an environment variable of the values",
    why="`env` is plain text in the values, in every pod's specification and in the rendered diff.",
    tiers=(("development", WARNING),),
)
def in_environment(values: ValuesInput) -> Iterator[Finding]:
    """A literal value under a name that says secret, or of a secret's shape."""
    for path in (("env",), *((component, "env") for component in _components(values))):
        for index, row in enumerate(values.rows(path)):
            name, value = str(row.get("name") or ""), row.get("value")
            if isinstance(value, str) and is_secret(name, value):
                yield Finding(
                    (*path, index),
                    f"the value of {name} is readable in git and in every pod's specification",
                    "take it from a Secret: list it under secret with envName, secretName and "
                    "secretKey",
                )


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's value is a secret: by the name, or by the shape of the value."""
    of_connection = name.upper().startswith("AIRFLOW_CONN_") or _CONNECTION.search(name)
    if of_connection and is_open(value):
        return False
    return bool(value) and (
        holds_secret(name, value)
        or _CONNECTION.search(name) is not None
        or bool(secret_intervals(value))
    )


def _components(values: ValuesInput) -> list[str]:
    return sorted(
        key for key, item in values.merged.items() if isinstance(item, dict) and "env" in item
    )
