"""Both sides of an environment, indexed once for every rule."""

from __future__ import annotations

import configparser
import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from generator.airflow.image_release import Runs
from generator.diff import pairing, what_runs
from generator.diff.equality import same
from generator.diff.model import Facts, Side
from generator.diff.what_runs import Executors
from generator.impact.rights import Held
from generator.impact.rules.references import provided
from generator.kube import canonical, fields, network_policy, pruning
from generator.kube.network_policy import Policy
from generator.kube.resource import Key, Object, key_of
from generator.kube.selectors import Labelled
from generator.kube.workload import ROLLED, TASK_PODS, Workload, workloads

_MAX_CONFIG = 1 << 20


@dataclasses.dataclass(frozen=True)
class View:
    """One side: its objects by identity and what follows from them."""

    side: Side

    @property
    def facts(self) -> Facts:
        """What is known beyond the manifests."""
        return self.side.facts

    @property
    def by_flux(self) -> bool:
        """Whether Flux applies the environment."""
        return self.facts.application is not None and self.facts.application.kind == "HelmRelease"

    def protection(self, manifest: Object) -> str:
        """What becomes of an object of this side that leaves git; see `kube/pruning`."""
        if not self.by_flux:
            return pruning.protection(manifest)
        by_helm = key_of(manifest, self.side.namespace) in self.facts.by_helm
        return pruning.protection(manifest, "helm" if by_helm else "flux")

    @functools.cached_property
    def objects(self) -> Mapping[Key, Object]:
        """In the one order of objects; of a repeated object the last counts."""
        entries, _ = pairing.entries(self.side)
        return dict(sorted(entries, key=lambda entry: entry[0].sort_key))

    @functools.cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Everything that runs pods."""
        return workloads(self.objects)

    @functools.cached_property
    def config(self) -> Mapping[tuple[str, str], str]:
        """`airflow.cfg` as (section, key) → value; what cannot be read is left out."""
        for manifest in self.of_kind("ConfigMap").values():
            text = fields.text(manifest, "data", "airflow.cfg")
            if text:
                return _read_config(text[:_MAX_CONFIG])
        return {}

    @functools.cached_property
    def executors(self) -> tuple[str, ...]:
        """The executors by their short names; none where they are not known."""
        return self.executor_setting.names

    @functools.cached_property
    def executor_setting(self) -> Executors:
        """The executors, or where they are set out of sight."""
        configured = self.config.get(("core", "executor")) or ""
        return what_runs.executors(self.workloads, self.objects, configured, self.facts)

    @functools.cached_property
    def runs(self) -> Runs:
        """The Airflow that runs, by its image as far as that is known."""
        return what_runs.of(self.workloads, self.facts, self.objects, self.config)

    @functools.cached_property
    def by_key(self) -> Mapping[Key, Workload]:
        """The workloads by identity."""
        return {work.key: work for work in self.workloads}

    @functools.cached_property
    def pods(self) -> Labelled[Workload]:
        """The workloads by the labels of their pods."""
        return Labelled((work.key.namespace, work.labels, work) for work in self.workloads)

    @functools.cached_property
    def held(self) -> Held:
        """What subjects and pods may do in the Kubernetes API."""
        return Held(self.objects)

    @functools.cached_property
    def secrets(self) -> Mapping[tuple[str, str], frozenset[str] | None]:
        """(namespace, name) of each Secret that is rendered, with its keys (None: not known)."""
        return provided(self.objects)

    @functools.cached_property
    def policies(self) -> tuple[Policy, ...]:
        """Every NetworkPolicy."""
        read = (
            network_policy.read(manifest, self.side.namespace) for manifest in self.objects.values()
        )
        return tuple(policy for policy in read if policy is not None)

    def of_kind(self, *kinds: str) -> dict[Key, Object]:
        """The objects of these kinds, in order."""
        return {key: value for key, value in self.objects.items() if key.kind in kinds}

    def setting(self, section: str, key: str) -> str | None:
        """An Airflow setting: the environment variable on any container wins over airflow.cfg."""
        variable = f"AIRFLOW__{section.upper()}__{key.upper()}"
        return self._variables.get(variable, self.config.get((section, key)))

    def is_on(self, section: str, key: str) -> bool:
        """Whether a setting is true as Airflow reads it (airflow/configuration.py, getboolean)."""
        text = (self.setting(section, key) or "").partition("#")[0]
        return text.strip().lower() in ("t", "true", "1")

    @functools.cached_property
    def _variables(self) -> Mapping[str, str]:
        """Environment variables with a written value; of several the first counts."""
        found: dict[str, str] = {}
        for work in self.workloads:
            # Task pods carry settings of their own, such as another executor.
            for name, entry in work.environment() if work.key.kind != TASK_PODS else ():
                if isinstance(entry.get("value"), str):
                    found.setdefault(name, entry["value"])
        return found

    def value(self, path: str) -> Any:
        """A Helm value that was given, by dotted path; None where it was not."""
        return fields.at(self.facts.values, *path.split("."))


@dataclasses.dataclass(frozen=True)
class Context:
    """Base and head of one environment."""

    base: View
    head: View

    @functools.cached_property
    def kept(self) -> tuple[tuple[Key, Object, Object], ...]:
        """Objects of both sides that differ in anything, noise included."""
        before = self.base.objects
        return tuple(
            (key, before[key], manifest)
            for key, manifest in self.head.objects.items()
            if key in before and repr(before[key]) != repr(manifest)
        )

    @functools.cached_property
    def added(self) -> Mapping[Key, Object]:
        """Objects only the head has, without those that govern it."""
        apart = self.base.objects.keys() | self.head.facts.governing
        return {k: v for k, v in self.head.objects.items() if k not in apart}

    @functools.cached_property
    def removed(self) -> Mapping[Key, Object]:
        """Objects only the base has: what Argo CD prunes."""
        apart = self.head.objects.keys() | self.base.facts.governing
        return {k: v for k, v in self.base.objects.items() if k not in apart}

    @functools.cached_property
    def restarted(self) -> tuple[tuple[Workload, Workload], ...]:
        """Workloads of both sides whose pod template differs, so that their pods are replaced.

        Their templates are in the form in which the API server stores them.
        """
        before = self.base.by_key
        pairs = (
            (_stored(before[work.key]), _stored(work))
            for work in self.head.workloads
            if work.key.kind in ROLLED
            and work.key in before
            and not same(before[work.key].template, work.template)
        )
        return tuple((old, new) for old, new in pairs if not same(old.template, new.template))

    @functools.cached_property
    def replaced(self) -> tuple[tuple[Workload, Workload], ...]:
        """Workloads that keep their name and become another kind: before and after."""
        before = {
            (work.key.namespace, work.key.name): work
            for work in self.base.workloads
            if work.key.kind in ROLLED and work.key in self.removed
        }
        return tuple(
            (before[work.key.namespace, work.key.name], work)
            for work in self.head.workloads
            if work.key.kind in ROLLED
            and work.key in self.added
            and (work.key.namespace, work.key.name) in before
        )

    @functools.cached_property
    def continued(self) -> tuple[tuple[Workload, Workload], ...]:
        """Workloads of the base with those of the head that go on with their work.

        A component may have several: each goes on under its own kind and name, and only one that
        is gone in another of its component that is new, of its name if there is one.
        """
        after = self.head.by_key
        new = [work for work in self.head.workloads if work.key not in self.base.by_key]
        pairs = []
        for work in self.base.workloads:
            place = (work.key.namespace, work.component)
            others = [item for item in new if (item.key.namespace, item.component) == place]
            others.sort(key=lambda item: item.key.name != work.key.name)
            stays = after.get(work.key) or next(iter(others), None)
            if stays is not None:
                pairs.append((work, stays))
        return tuple(pairs)

    @property
    def is_update(self) -> bool:
        """Whether the environment is there before and after, so that something runs."""
        return bool(self.base.objects) and bool(self.head.objects)


def listed(names: Any, limit: int = 10) -> str:
    """`a, b and c`; beyond the limit the rest is counted."""
    items = [str(name) for name in names]
    if len(items) > limit:
        return f"{', '.join(items[:limit])} and {len(items) - limit:,} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def duration(seconds: int) -> str:
    """`45 s`, `10 min`, `2 h`."""
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def verb(subjects: Any, one: str, many: str) -> str:
    """The form of the verb that fits one subject or several."""
    return one if len(list(subjects)) == 1 else many


def _stored(work: Workload) -> Workload:
    return dataclasses.replace(work, template=canonical.template(work.template))


def _read_config(text: str) -> dict[tuple[str, str], str]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {
        (section, key): value or ""
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def named_images(view: View) -> Iterator[tuple[Workload, str]]:
    """Every image that a container names, with its workload."""
    for work in view.workloads:
        for image in sorted({fields.text(item, "image") for item in work.containers()} - {""}):
            yield work, image
