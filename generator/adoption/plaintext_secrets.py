"""Secrets that stand in the values: found, never quoted, and named instead where the chart can."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.adoption import simplify
from generator.core.layered import Path, dotted, leaves, lookup, path_of
from generator.helmvalues.values import ValuesInput
from generator.lint.key_names import advice
from generator.lint.values import plaintext_secrets
from generator.redaction.text import shapes
from generator.release.setting import copied

# A variable with its value in text that the chart reads as YAML, such as extraEnv.
_VARIABLE = re.compile(r"name:\s*[\"']?(\w+)[\"']?\s*\n\s*value:\s*[\"']?([^\s\"'{]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """An inline secret that the chart also takes by name: what goes, and what names it.

    `names` maps a value key to what follows the release's full name in the Secret's name;
    `keys` are the keys which that Secret holds.
    """

    goes: tuple[str, ...]
    names: Mapping[str, str]
    keys: tuple[str, ...]


def _key(stem: str, suffix: str) -> Move:
    return Move((stem,), {f"{stem}SecretName": suffix}, (suffix,))


_SEARCH = ("connection",)
# Secret names are what the chart itself calls the Secret that it renders (chart 1.22.0, rendered).
_MOVES: Mapping[str, Move] = {
    "fernetKey": _key("fernetKey", "fernet-key"),
    "apiSecretKey": _key("apiSecretKey", "api-secret-key"),
    "jwtSecret": Move(("jwtSecret",), {"jwtSecretName": "jwt-secret"}, ("jwt-secret",)),
    "webserverSecretKey": _key("webserverSecretKey", "webserver-secret-key"),
    "redis.password": Move(
        ("redis.password",),
        {"redis.passwordSecretName": "redis-password", "data.brokerUrlSecretName": "broker-url"},
        ("password", "connection"),
    ),
    "data.brokerUrl": Move(
        ("data.brokerUrl",), {"data.brokerUrlSecretName": "broker-url"}, _SEARCH
    ),
    "data.metadataConnection.pass": Move(
        ("data.metadataConnection.pass",), {"data.metadataSecretName": "metadata"}, _SEARCH
    ),
    "data.resultBackendConnection.pass": Move(
        ("data.resultBackendConnection.pass",),
        {"data.resultBackendSecretName": "result-backend"},
        _SEARCH,
    ),
    "dags.gitSync.sshKey": Move(
        ("dags.gitSync.sshKey",), {"dags.gitSync.sshKeySecret": "ssh-secret"}, ("gitSshKey",)
    ),
    "flower.password": Move(
        ("flower.password", "flower.username"), {"flower.secretName": "flower"}, ("basicAuth",)
    ),
    "registry.connection.pass": Move(
        ("registry.connection",), {"registry.secretName": "registry"}, (".dockerconfigjson",)
    ),
    "elasticsearch.connection.pass": Move(
        ("elasticsearch.connection",), {"elasticsearch.secretName": "elasticsearch"}, _SEARCH
    ),
    "opensearch.connection.pass": Move(
        ("opensearch.connection",), {"opensearch.secretName": "opensearch"}, _SEARCH
    ),
}
_POOLED = {
    "pgbouncer.configSecretName": "pgbouncer-config",
    "pgbouncer.metricsExporterSidecar.statsSecretName": "pgbouncer-stats",
}

# Where a move names several Secrets: the keys of each.
_HELD: Mapping[str, tuple[str, ...]] = {
    "broker-url": ("connection",),
    "redis-password": ("password",),
    "pgbouncer-config": ("pgbouncer.ini", "users.txt"),
    "pgbouncer-stats": ("connection",),
}


@dataclasses.dataclass(frozen=True, slots=True)
class InlineSecret:
    """One secret in the values: its key and place; the Secrets to take it from, if any can be."""

    key: str
    path: str
    line: int | None
    secrets: tuple[tuple[str, tuple[str, ...]], ...]
    hint: str

    @property
    def movable(self) -> bool:
        """Whether the chart takes it by the name of a Secret."""
        return bool(self.secrets)


def found(values: ValuesInput) -> tuple[InlineSecret, ...]:
    """Every secret that the user wrote, by key."""
    rows: dict[str, InlineSecret] = {}
    for place, hint in _places(values):
        key = dotted(place)
        file, line = values.locate(place)
        move = _MOVES.get(key)
        rows.setdefault(key, InlineSecret(key, file, line, _secrets(values, move), hint))
    return tuple(rows[key] for key in sorted(rows))


def moved(values: ValuesInput, secrets: tuple[InlineSecret, ...]) -> dict[str, Any]:
    """The user's values with the names of Secrets where the movable ones stood."""
    result: dict[str, Any] = copied(values.user)
    for item in secrets:
        move = _MOVES.get(item.key)
        if move is None:
            continue
        for key in move.goes:
            simplify.without(result, tuple(key.split(".")))
        for key, suffix in _names(values, move).items():
            if lookup(result, key) is None:
                simplify.put(result, tuple(key.split(".")), f"{values.fullname}-{suffix}")
    return result


def _places(values: ValuesInput) -> Iterator[tuple[Path, str]]:
    for check in (
        plaintext_secrets.inline,
        plaintext_secrets.in_config,
        plaintext_secrets.in_environment,
    ):
        for finding in check.find(values):
            yield path_of(finding.at), advice(finding.hint, values)
    for path, value in leaves(values.user):
        yield from _urls(path, value)


def _urls(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Text anywhere that holds a secret's shape, or a secret variable in YAML of its own."""
    texts = [value] if isinstance(value, str) else []
    if isinstance(value, list):
        texts = [item for _, item in _deep(value) if isinstance(item, str)]
    if any(shapes(text) for text in texts):
        yield path, "take it from a Secret: an address with a password, a webhook or a token is one"
    for name, value in (found for text in texts for found in _VARIABLE.findall(text)):
        if plaintext_secrets.is_secret(name, value):
            yield path, f"take {name} from a Secret, with valueFrom.secretKeyRef"


def _deep(value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _deep(item)
    elif isinstance(value, list):
        for item in value:
            yield from _deep(item)
    else:
        yield (), value


def _names(values: ValuesInput, move: Move) -> Mapping[str, str]:
    if "data.metadataSecretName" in move.names and values.on("pgbouncer.enabled"):
        # PgBouncer's configuration holds the same password.
        return {**move.names, **_POOLED}
    return move.names


def _secrets(values: ValuesInput, move: Move | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if move is None:
        return ()
    names = _names(values, move)
    return tuple(
        (f"{values.fullname}-{suffix}", _HELD.get(suffix, move.keys))
        for key, suffix in sorted(names.items())
        if values.get(key) is None
    )
