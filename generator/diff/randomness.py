"""Fields that differ between two renders of the same input, and the settings that pin them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.diff import pairing
from generator.diff.model import Side
from generator.problem import Problem, Severity, ordered
from generator.resource import Key

# Helm values that stop the chart from drawing a new value on every render (apache-airflow 1.22.0:
# every row rendered twice with and without the setting).
_PINS: tuple[tuple[str, str], ...] = (
    (r"Secret .*-fernet-key data\..*", "fernetKeySecretName"),
    (r"Secret .*-api-secret-key data\..*", "apiSecretKeySecretName"),
    (r"Secret .*-jwt-secret data\..*", "jwtSecretName"),
    (r".*annotations\.checksum/jwt-secret", "jwtSecretName"),
    (r"Secret .*-webserver-secret-key data\..*", "webserverSecretKeySecretName"),
    (r".*annotations\.checksum/webserver-secret-key", "webserverSecretKeySecretName"),
    (r"Secret .*-redis-password data\..*", "redis.passwordSecretName (or redis.enabled: false)"),
    (r"Secret .*-broker-url data\..*", "data.brokerUrlSecretName"),
    (r"Secret .*-postgresql data\..*", "postgresql.auth.existingSecret"),
)


def random_fields(first: Side, second: Side, *, environment: str = "") -> tuple[Problem, ...]:
    """`render/random`, once for every object and field that two renders of one input disagree on.

    The values themselves stay out: most of them are secrets.
    """
    one, _ = pairing.entries(first)
    other, _ = pairing.entries(second)
    problems = []
    for pair in pairing.pair(one, other):
        if pair.base is None or pair.head is None or pair.base_key != pair.head_key:
            problems.append(_problem(pair.key, "", environment))
        else:
            for path in _differing(pair.base, pair.head, ()):
                problems.append(_problem(pair.key, ".".join(path), environment))
    return ordered(problems)


def _problem(key: Key, path: str, environment: str) -> Problem:
    what = f"the field {path} of {key}" if path else f"{key}"
    return Problem(
        rule="render/random",
        severity=Severity.WARNING,
        environment=environment,
        message=f"{what} comes out differently on every render: the environment is never in sync, "
        "and pods that read it restart",
        hint=_hint(key, path),
    )


def _hint(key: Key, path: str) -> str:
    place = f"{key.kind} {key.name} {path}"
    pin = next((pin for pattern, pin in _PINS if re.fullmatch(pattern, place)), None)
    if pin:
        return f"set {pin}"
    return "look for a random or date function in the template, and give the value yourself"


def _differing(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys(), key=str):
            yield from _differing(one.get(key), other.get(key), (*path, str(key)))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differing(left, right, (*path, str(index)))
    elif repr(one) != repr(other):
        yield path
