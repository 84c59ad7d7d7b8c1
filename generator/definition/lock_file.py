"""gen-env.lock: what must not change by accident, and which versions made the tree."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document
from generator.yaml.writer import dump

BROKEN = Rule(
    "lock/broken", Severity.ERROR, "A lock that cannot be read", "What it froze would be lost."
)
FROZEN = Rule(
    "lock/frozen",
    Severity.ERROR,
    "Another cluster, release name or namespace than the deployed one",
    "Everything would be made anew beside what is there, which runs on.",
)
NEWER = Rule(
    "lock/newer-gen-env",
    Severity.ERROR,
    "A tree made by a newer gen-env",
    "This one would write it in an older way.",
)

FILE_NAME = "gen-env.lock"
_HEADER = (
    "# Written by gen-env: release name, namespace and cluster are frozen, versions as used.\n"
)


@functools.cache
def version() -> str:
    """gen-env's own version."""
    return importlib.metadata.version("gen-env")


@dataclasses.dataclass(frozen=True, slots=True)
class Lock:
    """The lock of one environment; an unknown digest is None (no chart was at hand).

    `server` is the address of the cluster's API server; empty in a lock of before it was kept.
    """

    release_name: str
    namespace: str
    chart_version: str
    chart_digest: str | None
    gen_env: str
    server: str = ""

    def text(self) -> str:
        """The file."""
        data = {
            "apiVersion": "gen-env.dev/v1",
            "kind": "Lock",
            "releaseName": self.release_name,
            "namespace": self.namespace,
            **({"server": self.server} if self.server else {}),
            "chart": {"version": self.chart_version, "digest": self.chart_digest},
            "genEnv": self.gen_env,
        }
        return _HEADER + dump(data)


def read(text: bytes, path: str) -> Lock:
    """The lock in a file; raises YamlError where it is none."""
    document = reader.read(text, path)
    data = document.data
    if not isinstance(data, Mapping) or data.get("kind") != "Lock":
        raise YamlError("not a lock of gen-env", path=path, hint="restore it from git")
    chart = data.get("chart") or {}
    if not isinstance(chart, Mapping):
        raise _broken("chart", path, document)
    return Lock(
        release_name=_text(data, "releaseName", path, document),
        namespace=_text(data, "namespace", path, document),
        chart_version=_text(chart, "version", path, document),
        chart_digest=_text(chart, "digest", path, document) or None,
        gen_env=_text(data, "genEnv", path, document),
        server=_text(data, "server", path, document),
    )


def _text(part: Mapping[str, Any], key: str, path: str, document: Document) -> str:
    """The text at `key`, empty where there is none: what is missing is written anew.

    Anything else would be lost that way, and with it what is frozen.
    """
    value = part.get(key)
    if value is not None and not isinstance(value, str):
        raise _broken(key, path, document)
    return value or ""


def _broken(key: str, path: str, document: Document) -> YamlError:
    line = document.line(("chart", key) if key in ("version", "digest") else (key,))
    return YamlError(
        f"{key} is no text: not a lock of gen-env", path=path, line=line, hint="restore it from git"
    )


def faults(lock: Lock, resolved: Resolved) -> Iterator[Problem]:
    """What the lock forbids: another name, namespace or cluster, a tree of a newer gen-env."""
    environment = resolved.environment
    for field, locked, wanted in (
        ("releaseName", lock.release_name, environment.release),
        ("namespace", lock.namespace, environment.namespace),
    ):
        if locked and locked != wanted:
            yield resolved.problem(
                FROZEN,
                f"destination.{field} is '{wanted}', but '{locked}' is deployed: a change would"
                " leave everything there behind and start anew beside it",
                "destination",
                field,
                hint=f"write {field}: {locked}; to move, make a new environment and migrate data",
            )
    server = resolved.cluster.server
    if lock.server and lock.server != server:
        yield resolved.problem(
            FROZEN,
            f"destination.cluster leads to {server}, but the environment is deployed on"
            f" {lock.server}: Argo CD would leave everything there, where it runs on, and"
            " secrets sealed for that cluster cannot be opened on another",
            "destination",
            "cluster",
            hint="name the cluster of before; docs/impact.md says how an environment moves. For the"
            f" same cluster at another address write server: {server} into the lock",
        )
    if _parts(lock.gen_env) > _parts(version()):
        yield resolved.problem(
            NEWER,
            f"this tree was made by gen-env {lock.gen_env}, and this is {version()}",
            hint=f"install gen-env {lock.gen_env} or newer",
        )


def _parts(text: str) -> tuple[int, ...]:
    numbers = text.split("+")[0].split(".")
    return tuple(int(part) for part in numbers if part.isdecimal())
