"""What a comparison takes in and gives back: sides, changes, folded noise."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from generator.core.basis import NOTHING, Basis
from generator.core.problem import Problem
from generator.kube.resource import Key, Object
from generator.model.image import ImageFacts
from generator.release.secret import SealedConnection


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one side beyond its manifests; None always means unknown, never "none".

    `values` are the Helm values that people (or gen-env) gave the chart, `warnings` those of the
    chart's NOTES.txt. `declared_secrets` are Secrets that are said to exist without being in git.
    `connection_limit` is what the database server accepts (`max_connections`), `application` the
    environment's own Application (or HelmRelease) among the manifests, `deployers` all objects of
    its engine's there, `by_helm` those of the chart where Helm itself applies them, `governing` the
    objects outside its folder that govern it (its AppProject, the roles of `verify`) and that it
    does not deploy itself.
    `connections` are those that the definition puts into sealed Secrets. `airflow_version` is the
    version that the chart renders for; for the version that runs see `diff/what_runs`. `image` is
    `image.facts` of the definition.
    """

    airflow_version: str | None = None
    image: ImageFacts | None = None
    chart_version: str | None = None
    kubernetes_version: str | None = None
    engine: str | None = None
    executor: str | None = None
    database_host: str | None = None
    connection_limit: int | None = None
    application: Key | None = None
    deployers: frozenset[Key] = frozenset()
    by_helm: frozenset[Key] = frozenset()
    governing: frozenset[Key] = frozenset()
    connections: tuple[SealedConnection, ...] = ()
    declared_secrets: frozenset[str] | None = None
    values: Mapping[str, Any] | None = None
    warnings: tuple[Problem, ...] = ()

    def deploys(self, key: Key) -> bool:
        """Whether an object is one by which the environment's engine deploys it."""
        return key == self.application or key in self.deployers


UNKNOWN = Facts()


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One environment at one revision: everything its cluster would be given.

    `namespace` is where objects without one of their own go. With a `failure` the manifests are
    empty and the reason stands in the problem; `problems` are what is to be said all the same.
    `basis` says by which versions it was rendered, and what of it was not read.
    """

    revision: str
    manifests: tuple[Object, ...] = ()
    facts: Facts = UNKNOWN
    namespace: str = ""
    failure: Problem | None = None
    problems: tuple[Problem, ...] = ()
    basis: Basis = NOTHING


class Action(enum.StrEnum):
    """What happens to an object."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One object that differs; `diff` is a unified diff of masked text and safe to publish.

    `old_key` is set when base and head were paired although their identity differs: the cluster
    then creates the new object and prunes the old one. A higher `risk` is shown earlier.
    """

    action: Action
    key: Key
    api_version: str
    diff: str
    added_lines: int = 0
    removed_lines: int = 0
    old_key: Key | None = None
    old_api_version: str = ""
    risk: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Folded:
    """A difference that is no change to the reader: which field, and in which objects."""

    field: str
    resources: tuple[Key, ...]

    @property
    def count(self) -> int:
        """In how many objects it was folded."""
        return len(self.resources)


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """The two sides of one object; at least one is there."""

    base: Object | None
    head: Object | None
    base_key: Key | None
    head_key: Key | None

    @property
    def key(self) -> Key:
        """The identity at head, or at base for what is removed."""
        key = self.head_key or self.base_key
        assert key is not None
        return key


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """All changes in the one order of objects, what was folded, and problems of the input."""

    changes: tuple[Change, ...] = ()
    folded: tuple[Folded, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much of one object's diff is kept: lines, and characters of one line."""

    lines: int = 2_000
    width: int = 2_000
