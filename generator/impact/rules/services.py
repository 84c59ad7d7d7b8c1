"""Services that go away while something still leads to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.impact import connection
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key
from generator.kube.workload import command

SERVICE_GONE = ImpactRule(
    "impact/service-gone",
    ERROR,
    "A Service is removed that connections or settings still name",
    "Requests to it fail: Airflow without its database or broker stops.",
    "Kubernetes",
    also=((WARNING, "where the connection leads cannot be seen"),),
)
NOT_SEALED_AGAIN = ImpactRule(
    "impact/not-sealed-again",
    WARNING,
    "The definition gives a sealed connection another content",
    "It has no effect until the value is sealed again.",
    "Sealed Secrets",
)

# Components whose Services hold the state of Airflow; which variables lead there.
# `a`, `a.namespace`, `a.namespace.svc`, `a.namespace.svc.cluster.local`; one pass over the text.
_HOST = re.compile(
    r"(?<![\w.-])(?P<name>[a-z0-9][a-z0-9-]{0,62})(?:\.(?P<space>[a-z0-9-]{1,63}))?"
    r"(?:(?P<rest>\.[a-z0-9-]{1,63})(?:\.[a-z0-9-]{1,63}){0,6})?(?![\w-])"
)
_PORT = re.compile(r":\d{1,5}(?![\w.])")
_STORES = {
    "redis": (connection.BROKER,),
    "pgbouncer": (connection.DATABASE, connection.RESULTS, "KEDA_DB_CONN"),
    "postgresql": (connection.DATABASE, connection.RESULTS, "KEDA_DB_CONN"),
    "primary": (connection.DATABASE, connection.RESULTS, "KEDA_DB_CONN"),
}


def service_gone(context: Context) -> Iterator[Finding]:
    """`impact/service-gone`: what a connection or a setting of the head names is deleted."""
    services = {(key.namespace, key.name): key for key in context.removed if key.kind == "Service"}
    if not services or not context.head.objects:
        return
    written = _written(context.head, services)
    for key in services.values():
        users = sorted(written.get(key, ()))
        if users:
            yield SERVICE_GONE.finding(
                key,
                f"is deleted, and {listed(users)} still {verb(users, 'names', 'name')} it: requests"
                " to it fail",
            )
    yield from _sealed(context, services)


def not_sealed_again(context: Context) -> Iterator[Finding]:
    """`impact/not-sealed-again`: the definition changes and the sealed value does not."""
    for new in context.head.facts.connections:
        place = _place(context.head, new.secret, new.key)
        old = connection.declared(context.base, place)
        stays = connection.cipher(context.head, place)
        if old is None or old.content == new.content:
            continue
        if stays is None:
            yield from _nothing_sealed(context, place, new.host if new.host != old.host else "")
            continue
        kept = stays == connection.cipher(context.base, place)
        mark = connection.mark(context.head, place)
        follows = old.mark != new.mark and mark in {new.mark, *new.others}
        if kept and not follows:
            behind = old.mark != new.mark and mark in {old.mark, *old.others}
            leads = f": it still leads to {old.host}" if behind else ""
            yield NOT_SEALED_AGAIN.finding(
                place[0],
                f"key {new.key} is to lead to {new.host} by the definition, and its sealed value "
                f"stays as it was{leads}; there is no effect until it is sealed again (gen-env "
                "seal)"
                if new.host != old.host
                else f"what the definition puts into key {new.key} changes (options or pool "
                "sizes), and its sealed value stays as it was; there is no effect until it is "
                "sealed again (gen-env seal)",
            )


def _nothing_sealed(context: Context, place: connection.Reference, host: str) -> Iterator[Finding]:
    """A stub: the definition has no effect before the value is sealed."""
    if connection.sealed(context.head, place) is not None:
        leads = f"is to lead to {host}" if host else "is to hold other options or pool sizes"
        yield NOT_SEALED_AGAIN.finding(
            place[0],
            f"key {place[1]} {leads} by the definition, and nothing is sealed there yet: there is "
            "no effect until it is sealed (gen-env seal)",
        )


def _sealed(context: Context, services: dict[tuple[str, str], Key]) -> Iterator[Finding]:
    """Connections in Secrets: where they lead is seen by their fingerprint, or not at all."""
    for variable in connection.VARIABLES:
        place = connection.reference(context.head, variable)
        if place is None:
            continue
        target = _target(context, place, services)
        if target is not None:
            yield SERVICE_GONE.finding(
                target,
                f"is deleted, and key {place[1]} of Secret {place[0].name} ({variable}) "
                f"{_leads(context, place)}: what reads it has no connection; seal it again in the "
                "same change",
            )
        elif not _is_known(context, place):
            yield from _unseen(context, variable, place, services)


def _leads(context: Context, place: connection.Reference) -> str:
    is_there = connection.cipher(context.head, place) or connection.plain_value(context.head, place)
    return "still leads to it" if is_there else "was to lead to it, and nothing is sealed there yet"


def _target(
    context: Context, place: connection.Reference, services: dict[tuple[str, str], Key]
) -> Key | None:
    """The Service that a value is known to lead to."""
    head, space = context.head, place[0].namespace
    plain = connection.plain_value(head, place)
    if plain is not None:
        return connection.service_of(connection.host(plain), services, space)
    mark, old = connection.mark(head, place), connection.declared(context.base, place)
    # Without a mark the base's definition counts, as long as the value stays.
    stays = connection.cipher(head, place) == connection.cipher(context.base, place)
    if old is None or connection.sealed(head, place) is None or mark not in (None, old.mark):
        return None
    return connection.service_of(old.host, services, space) if mark or stays else None


def _is_known(context: Context, place: connection.Reference) -> bool:
    """Whether it is known where the value leads at head, so that it does not lead to the base's."""
    if connection.plain_value(context.head, place) is not None:
        return True
    return connection.mark(context.head, place) is not None


def _unseen(
    context: Context,
    variable: str,
    place: connection.Reference,
    services: dict[tuple[str, str], Key],
) -> Iterator[Finding]:
    """A store's Service is removed, and the connection to it cannot be read from its Secret."""
    if place != connection.reference(context.base, variable):
        return
    if connection.cipher(context.head, place) != connection.cipher(context.base, place):
        return
    for key in services.values():
        if variable in _STORES.get(_component(context.base, key), ()):
            yield SERVICE_GONE.finding(
                key,
                f"is deleted, and where key {place[1]} of Secret {place[0].name} ({variable}) "
                "leads cannot be seen: if it leads there, what reads it has no connection",
                WARNING,
            )


def _component(view: View, key: Key) -> str:
    manifest = view.objects[key]
    for label in ("component", "app.kubernetes.io/component"):
        value = fields.at(manifest, "spec", "selector", label)
        if isinstance(value, str):
            return value
    return key.name.rpartition("-")[2]


def _place(view: View, secret: str, key: str) -> connection.Reference:
    return Key("", "Secret", view.side.namespace, secret), key


def _written(view: View, services: dict[tuple[str, str], Key]) -> dict[Key, set[str]]:
    """Who names these Services in plain text: in variables, arguments and configuration."""
    names = {name for _, name in services}
    named: dict[Key, set[str]] = {}
    for space, user, text in _texts(view):
        for match in _HOST.finditer(text):
            if match["name"] not in names or match["rest"] not in (None, ".svc"):
                continue
            target = services.get((match["space"] or space, match["name"]))
            if target is not None and _is_host(match):
                named.setdefault(target, set()).add(user)
    return named


def _is_host(match: re.Match[str]) -> bool:
    """In a URL, before a port, or all of a value or option; a name alone is a word like others."""
    start, end = match.span()
    before, after = match.string[max(0, start - 3) : start], match.string[end : end + 8]
    if before.endswith(("//", "@")) or _PORT.match(after):
        return True
    starts = not before or before.rstrip(" ").endswith(("=", "\n"))
    return starts and after[:1] in ("", "\n")


def _texts(view: View) -> Iterator[tuple[str, str, str]]:
    for work in view.workloads:
        for container in work.containers():
            for entry in fields.entries(container, "env"):
                if text := fields.text(entry, "value"):
                    yield work.key.namespace, work.component, text
            for word in command(container):
                yield work.key.namespace, work.component, word
    for key, manifest in view.of_kind("ConfigMap").items():
        for value in fields.section(manifest, "data").values():
            yield key.namespace, f"ConfigMap {key.name}", str(value)
    for key, manifest in view.of_kind("ScaledObject").items():
        for trigger in fields.entries(manifest, "spec", "triggers"):
            values: Any = fields.section(trigger, "metadata").values()
            for value in values:
                yield key.namespace, f"ScaledObject {key.name}", str(value)


FINDERS = (service_gone, not_sealed_again)
