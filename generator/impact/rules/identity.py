"""What an Airflow installation cannot change lightly: its Fernet key and its database."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key, Object

_FERNET = "AIRFLOW__CORE__FERNET_KEY"
_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"

Reference = tuple[Key, str]
"""A Secret and the key in it."""

FERNET_KEY = ImpactRule(
    "impact/fernet-key",
    ERROR,
    "The Fernet key changes",
    "Stored connections and variables cannot be decrypted.",
    "Airflow",
    also=(
        (WARNING, "whether the key differs cannot be seen"),
        (INFO, "the new key is put before the old one"),
    ),
)
DATABASE = ImpactRule(
    "impact/database",
    ERROR,
    "The metadata database changes",
    "DAG runs, connections and users stay behind unless they were copied.",
    "Airflow",
    also=(
        (WARNING, "whether it is the same database cannot be seen"),
        (INFO, "only user, password or options change"),
    ),
)


def fernet_key(context: Context) -> Iterator[Finding]:
    """`impact/fernet-key`: what encrypts connections and variables may become another key."""
    base, head = _reference(context.base, _FERNET), _reference(context.head, _FERNET)
    if base is None or head is None:
        return
    if base != head:
        yield FERNET_KEY.finding(
            head[0],
            f"the Fernet key is read from key {head[1]} of {head[0].name} instead of key {base[1]} "
            f"of {base[0].name}; unless both hold the same key, stored connections and variables "
            "cannot be decrypted",
            WARNING,
        )
    elif _is_resealed(context, head):
        yield FERNET_KEY.finding(
            head[0],
            "the Fernet key is sealed again; if it is another key, stored connections and "
            "variables "
            "cannot be decrypted: rotate with `new,old` and `airflow rotate-fernet-key`",
            WARNING,
        )
    else:
        yield from _fernet_content(context, head)


def database(context: Context) -> Iterator[Finding]:
    """`impact/database`: the metadata database becomes another one, or is reached otherwise."""
    old, new = context.base.facts.database_host, context.head.facts.database_host
    if old and new and old != new:
        yield DATABASE.finding(
            None,
            f"the metadata database moves from {old} to {new}: DAG runs, connections and users "
            "stay behind unless they were copied",
        )
    yield from _written_database(context)
    base, head = _reference(context.base, _DATABASE), _reference(context.head, _DATABASE)
    if base is None or head is None:
        return
    if base != head:
        yield DATABASE.finding(
            head[0],
            f"the database connection is read from key {head[1]} of {head[0].name} instead of key "
            f"{base[1]} of {base[0].name}: make sure that it is the same database",
            WARNING,
        )
    elif _is_resealed(context, head):
        yield DATABASE.finding(
            head[0],
            "the database connection is sealed again; whether it is the same database cannot be "
            "seen from the ciphertext",
            WARNING,
        )
    else:
        yield from _database_content(context, head)


def _written_database(context: Context) -> Iterator[Finding]:
    """A connection that stands in airflow.cfg or in a variable, in plain sight."""
    old = context.base.setting("database", "sql_alchemy_conn")
    new = context.head.setting("database", "sql_alchemy_conn")
    if old and new and _address(old) != _address(new):
        yield DATABASE.finding(
            None,
            f"the database connection moves from {_address(old) or 'another place'} to "
            f"{_address(new) or 'another place'}: DAG runs, connections and users stay behind "
            "unless they were copied",
        )


def _fernet_content(context: Context, place: Reference) -> Iterator[Finding]:
    old, new = _plain_value(context.base, place), _plain_value(context.head, place)
    if old is None or new is None or old == new:
        return
    if old in new.split(","):
        yield FERNET_KEY.finding(
            place[0],
            "a new Fernet key is put before the old one: run `airflow rotate-fernet-key`, then "
            "drop the old one",
            INFO,
        )
    else:
        yield FERNET_KEY.finding(
            place[0],
            "the Fernet key is replaced: stored connections and variables cannot be decrypted any "
            "more; rotate with `new,old` and `airflow rotate-fernet-key` instead",
        )


def _database_content(context: Context, place: Reference) -> Iterator[Finding]:
    old, new = _plain_value(context.base, place), _plain_value(context.head, place)
    if old is None or new is None or old == new:
        return
    before, after = _address(old), _address(new)
    if before != after or not before:
        yield DATABASE.finding(
            place[0],
            "the database connection points to another server or database: DAG runs, connections "
            "and users stay behind unless they were copied",
        )
    else:
        yield DATABASE.finding(
            place[0],
            "user, password or options of the database connection change",
            INFO,
        )


def _reference(view: View, variable: str) -> Reference | None:
    for work in view.workloads:
        for name, entry in work.environment():
            source = fields.section(entry, "valueFrom", "secretKeyRef")
            if name == variable and source:
                secret = Key("", "Secret", work.key.namespace, fields.text(source, "name"))
                return secret, fields.text(source, "key")
    return None


def _is_resealed(context: Context, place: Reference) -> bool:
    key = Key("bitnami.com", "SealedSecret", place[0].namespace, place[0].name)
    before, after = context.base.objects.get(key), context.head.objects.get(key)
    if before is None or after is None:
        return False
    return not same(_cipher(before, place[1]), _cipher(after, place[1]))


def _cipher(manifest: Object, key: str) -> Any:
    return fields.section(manifest, "spec", "encryptedData").get(key)


def _plain_value(view: View, place: Reference) -> str | None:
    manifest = view.objects.get(place[0])
    written = fields.section(manifest, "stringData").get(place[1])
    if isinstance(written, str):
        return written
    encoded = fields.section(manifest, "data").get(place[1])
    try:
        return base64.b64decode(str(encoded), validate=True).decode("utf-8") if encoded else None
    except (binascii.Error, ValueError):
        return None


def _address(connection: str) -> str:
    """`host:port/database` of a URL, empty for anything else; never a part of the credentials.

    Passwords with / ? # in them occur although a URL forbids it, so all up to the last @ goes.
    """
    _, separator, rest = connection.partition("://")
    return re.split(r"[?#]", rest.rpartition("@")[2])[0] if separator else ""


FINDERS = (fernet_key, database)
