"""Where connections lead, as far as sealed and plain values show it."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Iterator, Mapping

from generator.impact.context import View
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import Workload
from generator.release.secret import SealedConnection
from generator.seal.sealed_secret import URI_PARTS
from generator.seal.uri import parse_fingerprints

Reference = tuple[Key, str]
"""A Secret and the key in it."""

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BROKER = "AIRFLOW__CELERY__BROKER_URL"
RESULTS = "AIRFLOW__CELERY__RESULT_BACKEND"
VARIABLES = (DATABASE, BROKER, RESULTS, "KEDA_DB_CONN")
"""Variables that hold a connection of Airflow's own."""


def reference(view: View, variable: str) -> Reference | None:
    """Where the first pod takes the variable from; a command of Airflow's (`_CMD`) is not read."""
    for work in view.workloads:
        for name, entry in work.environment():
            source = fields.section(entry, "valueFrom", "secretKeyRef")
            if name == variable and source:
                return _secret(work, source), fields.text(source, "key")
    return next(_of_whole_secrets(view, variable), None)


def _of_whole_secrets(view: View, variable: str) -> Iterator[Reference]:
    """Secrets of which every key becomes a variable; only rendered ones show their keys."""
    for work in view.workloads:
        for container in work.containers():
            for entry in fields.entries(container, "envFrom"):
                place = (
                    _secret(work, fields.section(entry, "secretRef")),
                    variable.removeprefix(fields.text(entry, "prefix")),
                )
                if cipher(view, place) is not None or plain_value(view, place) is not None:
                    yield place


def _secret(work: Workload, source: Mapping[str, object]) -> Key:
    return Key("", "Secret", work.key.namespace, fields.text(source, "name"))


def is_given(view: View, variable: str) -> bool:
    """Whether anything gives the variable, or its option in airflow.cfg, a value."""
    _, section, option = variable.split("__")
    names = {variable, f"{variable}_CMD", f"{variable}_SECRET"}
    option = option.lower()
    own = (option, f"{option}_cmd", f"{option}_secret")
    if reference(view, variable) is not None:
        return True
    return any(view.config.get((section.lower(), name)) for name in own) or any(
        name in names for work in view.workloads for name, _ in work.environment()
    )


def sealed(view: View, place: Reference) -> Object | None:
    """The SealedSecret of a place."""
    return view.objects.get(Key("bitnami.com", "SealedSecret", place[0].namespace, place[0].name))


def cipher(view: View, place: Reference) -> object:
    """The ciphertext of a key; None where there is none."""
    return fields.section(sealed(view, place), "spec", "encryptedData").get(place[1]) or None


def mark(view: View, place: Reference) -> str | None:
    """The fingerprint of the connection that is sealed there; None where none was recorded."""
    if cipher(view, place) is None:
        return None
    text = fields.section(sealed(view, place), "metadata", "annotations").get(URI_PARTS)
    return parse_fingerprints(str(text or "")).get(place[1])


def declared(view: View, place: Reference) -> SealedConnection | None:
    """What the definition puts there."""
    known = ((item.secret, item.key) for item in view.facts.connections)
    own = dict(zip(known, view.facts.connections, strict=True))
    return own.get((place[0].name, place[1]))


def plain_value(view: View, place: Reference) -> str | None:
    """The value in a plain Secret."""
    manifest = view.objects.get(place[0])
    written = fields.section(manifest, "stringData").get(place[1])
    if isinstance(written, str):
        return written
    return decoded(fields.section(manifest, "data").get(place[1]))


def decoded(encoded: object) -> str | None:
    """The text of a value of a Secret's `data`."""
    try:
        return base64.b64decode(str(encoded), validate=True).decode("utf-8") if encoded else None
    except (binascii.Error, ValueError):
        return None


def address(connection: str) -> str:
    """`host:port/database` of a URL, empty for anything else; never a part of the credentials.

    Passwords with / ? # in them occur although a URL forbids it, so all up to the last @ goes.
    """
    _, separator, rest = connection.partition("://")
    return re.split(r"[?#]", rest.rpartition("@")[2])[0] if separator else ""


def host(connection: str) -> str:
    """The host alone, in small letters."""
    return re.split(r"[:/]", address(connection))[0].lower()


def service_of(name: str, services: Mapping[tuple[str, str], Key], namespace: str) -> Key | None:
    """The Service that a host name of the cluster resolves to."""
    parts = labels(name)
    return services.get((parts[1] if len(parts) > 1 else namespace, parts[0])) if parts else None


@functools.lru_cache(maxsize=1_024)
def labels(name: str) -> tuple[str, ...]:
    """Name and, if given, namespace of the Service that a host is; empty where it cannot be one.

    `a`, `a.ns`, `a.ns.svc`, `a.ns.svc.cluster.local` (dns-pod-service in kubernetes.io/docs).
    """
    parts = tuple(name.split(":")[0].rstrip(".").lower().split("."))
    return parts[:2] if len(parts) <= 2 or parts[2] == "svc" else ()
