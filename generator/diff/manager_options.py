"""The options by which an environment's Airflow chooses the migrations of providers that it runs.

A container's variables win over airflow.cfg (airflow/configuration.py). Where nothing was rendered,
the values say both, and the chart's default is Flask AppBuilder's auth manager. The image's own
variables are not looked at.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.airflow.managers import FAB_AUTH, SIMPLE_AUTH, Options
from generator.diff.model import Facts
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import Workload

_AUTH, _EXTERNAL = ("core", "auth_manager"), ("database", "external_db_managers")
# Every form of an option that Airflow reads from the environment.
_FORMS = ("", "_CMD", "_SECRET")

# Begins the name of an entry for all variables of a Secret or ConfigMap whose keys are not known.
_WHOLE = "all of "
_NAMES = re.compile(r"name:\s*[\"']?([A-Z_][A-Z0-9_]*)")
_ENV_FROM = re.compile(r"(?:secretRef|configMapRef):\s*\{?\s*name:\s*[\"']?([\w.-]+)")

Config = Mapping[tuple[str, str], str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Value:
    """What a variable holds, or where it comes from if that cannot be read."""

    text: str = ""
    unread: str = ""


def read(
    work: Workload | None, objects: Mapping[Key, Object], config: Config | None, facts: Facts
) -> Options:
    """The options of the pods of `work`, else those of the values."""
    values = facts.values or {}
    if work is not None:
        variables, default = dict(_of_pods(work, objects)), SIMPLE_AUTH
    else:
        variables, default = dict(_of_values(values, objects)), FAB_AUTH
        config = _config_of(values)
    auth, external = (_option(option, variables, config or {}) for option in (_AUTH, _EXTERNAL))
    unread = [item.unread for item in (auth, external) if item.unread]
    unread += [item.unread for name, item in variables.items() if name.startswith(_WHOLE)]
    if work is not None and not config and not auth.text:
        unread.append("no airflow.cfg was rendered")
    listed = tuple(part.strip() for part in external.text.split(",") if part.strip())
    return Options(auth.text or default, listed, unread="; ".join(dict.fromkeys(unread)))


def _option(option: tuple[str, str], variables: Mapping[str, _Value], config: Config) -> _Value:
    name = f"AIRFLOW__{option[0]}__{option[1]}".upper()
    entries = [variables[f"{name}{form}"] for form in _FORMS if f"{name}{form}" in variables]
    value = entries[0] if entries else _Value(config.get(option, ""))
    if "{{" in value.text:
        return _Value(unread=f"[{option[0]}] {option[1]} is a template")
    return value


def _of_pods(work: Workload, objects: Mapping[Key, Object]) -> Iterator[tuple[str, _Value]]:
    for container in fields.entries(work.spec, "containers"):
        for entry in fields.entries(container, "envFrom"):
            yield from _whole(work, entry, objects)
        for entry in fields.entries(container, "env"):
            yield _named(fields.text(entry, "name"), entry, str(work.key), objects, work)


def _whole(
    work: Workload, entry: Mapping[str, Any], objects: Mapping[Key, Object]
) -> Iterator[tuple[str, _Value]]:
    prefix, name = fields.text(entry, "prefix"), fields.text(entry, "configMapRef", "name")
    found = objects.get(Key("", "ConfigMap", work.key.namespace, name))
    for key, text in fields.section(found, "data").items():
        yield f"{prefix}{key}", _Value(str(text))
    if found is None:
        secret = fields.text(entry, "secretRef", "name")
        yield from _of_source(
            f"Secret {secret}" if secret else f"ConfigMap {name}", objects, prefix
        )


def _of_source(
    source: str, objects: Mapping[Key, Object], prefix: str = ""
) -> Iterator[tuple[str, _Value]]:
    """Every variable of a Secret, of which at most the keys are in git."""
    keys = _keys(source.partition(" ")[2], objects)
    if keys is None:
        yield f"{_WHOLE}{source}", _Value(unread=f"variables of {source} were not read")
    for key in keys or ():
        yield f"{prefix}{key}", _Value(unread=f"{prefix}{key} of {source} was not read")


def _keys(name: str, objects: Mapping[Key, Object]) -> set[str] | None:
    """The keys of a Secret or of what a SealedSecret unseals to; None if neither is there."""
    parts: list[tuple[str, ...]]
    for key, manifest in objects.items():
        if key.name == name and key.kind == "SealedSecret":
            parts = [("spec", "encryptedData"), ("spec", "template", "data")]
        elif key.name == name and key.kind == "Secret":
            parts = [("data",), ("stringData",)]
        else:
            continue
        return {str(item) for part in parts for item in fields.section(manifest, *part)}
    return None


def _named(
    name: str, entry: Mapping[str, Any], where: str, objects: Mapping[Key, Object], work: Workload
) -> tuple[str, _Value]:
    if "valueFrom" not in entry and not name.endswith(_FORMS[1:]):
        return name, _Value(str(entry.get("value") or ""))
    source = fields.section(entry, "valueFrom", "configMapKeyRef")
    place = Key("", "ConfigMap", work.key.namespace, fields.text(source, "name"))
    text = fields.text(objects.get(place), "data", fields.text(source, "key"))
    return name, _Value(text) if text else _Value(unread=f"{name} of {where} was not read")


def _of_values(
    values: Mapping[str, Any], objects: Mapping[Key, Object]
) -> Iterator[tuple[str, _Value]]:
    """Those of all containers, then the migration Job's own, which win."""
    text = fields.text(values, "extraEnvFrom")
    names = _ENV_FROM.findall(text)
    for name in names:
        yield from _of_source(f"Secret {name}", objects)
    if text and not names:
        yield f"{_WHOLE}extraEnvFrom", _Value(unread="variables of extraEnvFrom were not read")
    yield from _rows(values, "env")
    for entry in fields.entries(values, "secret"):
        yield _out_of_sight(fields.text(entry, "envName"), "secret")
    for name in _NAMES.findall(fields.text(values, "extraEnv")):
        yield _out_of_sight(name, "extraEnv")
    yield from _rows(values, "migrateDatabaseJob", "env")


def _rows(values: Mapping[str, Any], *path: str) -> Iterator[tuple[str, _Value]]:
    for entry in fields.entries(values, *path):
        name = fields.text(entry, "name")
        if "valueFrom" in entry or name.endswith(_FORMS[1:]):
            yield _out_of_sight(name, ".".join(path))
        else:
            yield name, _Value(str(entry.get("value") or ""))


def _out_of_sight(name: str, place: str) -> tuple[str, _Value]:
    return name, _Value(unread=f"{name} of {place} was not read")


def _config_of(values: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    pairs = ((option, fields.at(values, "config", *option)) for option in (_AUTH, _EXTERNAL))
    return {option: str(value) for option, value in pairs if value}
