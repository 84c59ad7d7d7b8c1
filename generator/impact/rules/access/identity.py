"""What an Airflow installation cannot change lightly: its Fernet key and its database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from generator.diff.equality import same
from generator.impact import connection, volumes
from generator.impact.connection import Reference, address, cipher, plain_value, reference
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.pooler import INI, destination
from generator.kube.workload import ROLLED
from generator.release.secret import SealedConnection

_FERNET = "AIRFLOW__CORE__FERNET_KEY"

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
        (INFO, "only user, password, options or the way to it change"),
    ),
)


def fernet_key(context: Context) -> Iterator[Finding]:
    """`impact/fernet-key`: what encrypts connections and variables may become another key."""
    base, head = reference(context.base, _FERNET), reference(context.head, _FERNET)
    if base is None or head is None:
        if (
            base is not None
            and context.head.objects
            and not connection.is_given(context.head, _FERNET)
        ):
            yield FERNET_KEY.finding(
                base[0],
                f"pods no longer read the Fernet key (key {base[1]} of {base[0].name}): stored "
                "connections and variables cannot be decrypted",
            )
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
    yield from _written_database(context)
    yield from _embedded(context)
    base, head = (reference(side, connection.DATABASE) for side in (context.base, context.head))
    if base is not None and head is not None:
        yield from _referenced(context, base, head)
        return
    given = head is not None or connection.is_given(context.head, connection.DATABASE)
    if base is not None and context.head.workloads and not given:
        yield DATABASE.finding(
            base[0],
            f"pods no longer read the database connection (key {base[1]} of {base[0].name}), and "
            "nothing else gives one: Airflow starts with an empty SQLite file",
        )
    elif not context.head.facts.connections:
        yield from _declared(context)


def _referenced(context: Context, base: Reference, head: Reference) -> Iterator[Finding]:
    old, new = _server(context, context.base, base), _server(context, context.head, head)
    if old is not None and new is not None:
        if old != new:
            yield _moves(head, old, new)
    elif all(plain_value(*at) is not None for at in ((context.base, base), (context.head, head))):
        yield from _database_content(context, base, head)
    elif base != head:
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
    elif not context.head.facts.connections and plain_value(context.head, head) is None:
        yield from _declared(context)


def _moves(place: Reference, old: str, new: str) -> Finding:
    return DATABASE.finding(
        place[0],
        f"the metadata database moves from {old} to {new}: DAG runs, connections and users stay "
        "behind unless they were copied",
    )


def _declared(context: Context) -> Iterator[Finding]:
    """Another host in the definition, where nothing shows what reaches the cluster."""
    old, new = context.base.facts.database_host, context.head.facts.database_host
    if old and new and old != new:
        yield DATABASE.finding(
            None,
            f"the definition names {new} instead of {old} as the database's host; whether the "
            "connection that pods read leads there cannot be seen: if it does, DAG runs, "
            "connections and users stay behind unless they were copied",
            WARNING,
        )


def _server(context: Context, view: View, place: Reference) -> str | None:
    """The server that a sealed connection leads to; behind a pooler, that of its own sealed file.

    None where it cannot be seen.
    """
    item = _sealed(context, view, place)
    if item is None or item.host == item.server:
        return item.server if item else None
    file = next((known.secret for known in view.facts.connections if known.key == INI), None)
    between = (dataclasses.replace(place[0], name=file), INI) if file else None
    behind = _sealed(context, view, between) if between else None
    return behind.server if behind else None


def _sealed(context: Context, view: View, place: Reference) -> SealedConnection | None:
    """What the definition of either side says that was sealed there, by its fingerprint."""
    mark = connection.mark(view, place)
    known = [connection.declared(side, place) for side in (view, context.head, context.base)]
    return next((item for item in known if item and mark and item.mark == mark), None)


def _embedded(context: Context) -> Iterator[Finding]:
    """A database that the base deploys and the head does not, or that gets another volume or
    release."""
    after = {work.key: stays for work, stays in context.continued}
    for work in context.base.workloads if context.head.objects else ():
        if work.key.kind not in ROLLED or not volumes.is_database(work):
            continue
        stays = after.get(work.key)
        if stays is None:
            yield DATABASE.finding(
                work.key,
                "the database that runs here is removed: Airflow needs another one, and DAG runs, "
                "connections and users stay behind unless they were copied",
            )
        elif (old := volumes.of_store(work)) and old != (new := volumes.of_store(stays)):
            yield DATABASE.finding(
                stays.key,
                f"the database that runs here keeps its data in {new or 'an emptyDir'} instead of "
                f"{old}: it starts empty, and DAG runs, connections and users stay behind unless "
                "they were copied",
            )
        elif old:
            before, now = (volumes.postgresql_major(side) for side in (work, stays))
            if before and now and before != now:
                yield DATABASE.finding(
                    stays.key,
                    f"the database that runs here becomes PostgreSQL {now}, which cannot read the "
                    f"files of PostgreSQL {before} in its volume: dump the database before, and "
                    "load the dump into an empty volume",
                )


def _written_database(context: Context) -> Iterator[Finding]:
    """A connection in plain text, in airflow.cfg or in a variable."""
    old = context.base.setting("database", "sql_alchemy_conn")
    new = context.head.setting("database", "sql_alchemy_conn")
    if old and new and address(old) != address(new):
        yield DATABASE.finding(
            None,
            f"the database connection moves from {address(old) or 'another place'} to "
            f"{address(new) or 'another place'}: DAG runs, connections and users stay behind "
            "unless they were copied",
        )


def _fernet_content(context: Context, place: Reference) -> Iterator[Finding]:
    old, new = plain_value(context.base, place), plain_value(context.head, place)
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


def _database_content(context: Context, base: Reference, head: Reference) -> Iterator[Finding]:
    """Plain connections, by the databases that they end at behind the environment's own pooler."""
    old, new = plain_value(context.base, base) or "", plain_value(context.head, head) or ""
    before, after = destination(context.base, old), destination(context.head, new)
    if before is None or after is None:
        if old != new or before != after:
            verb = "changes" if old != new else "stays"
            yield DATABASE.finding(
                head[0],
                f"the database connection {verb}, and where PgBouncer leads to is not rendered: "
                "make sure that it is the same database",
                WARNING,
            )
    elif before != after or (not before and old != new):
        yield DATABASE.finding(
            head[0],
            "the database connection points to another server or database: DAG runs, connections "
            "and users stay behind unless they were copied",
        )
    elif address(old) != address(new):
        yield DATABASE.finding(
            head[0],
            "the database connection takes another way to the same database: PgBouncer comes or "
            "goes, or the host has another name",
            INFO,
        )
    elif old != new:
        yield DATABASE.finding(
            head[0],
            "user, password or options of the database connection change",
            INFO,
        )


def _is_resealed(context: Context, place: Reference) -> bool:
    if any(connection.sealed(side, place) is None for side in (context.base, context.head)):
        return False
    return not same(cipher(context.base, place), cipher(context.head, place))


FINDERS = (fernet_key, database)
