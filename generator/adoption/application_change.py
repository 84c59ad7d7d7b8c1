"""Which settings of the Argo CD Application itself an adoption changes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLACES = (
    *(("metadata", name) for name in ("name", "namespace", "labels", "annotations", "finalizers")),
    *(("spec", name) for name in ("project", "destination", "syncPolicy", "ignoreDifferences")),
    *(("spec", name) for name in ("info", "revisionHistoryLimit")),
)
_NO_CASCADE = "deleting the Application must not delete Airflow meanwhile"
# Setting → why it differs although everything else is carried over.
_EXPECTED: tuple[tuple[str, str], ...] = (
    ("metadata.labels.app.kubernetes.io/managed-by", "gen-env manages the Application"),
    ("metadata.labels.gen-env.dev/", "gen-env manages the Application"),
    ("metadata.labels.app.kubernetes.io/instance", "the parent that tracks it sets it"),
    ("metadata.labels.argocd.argoproj.io/instance", "the parent that tracks it sets it"),
    ("metadata.annotations.argocd.argoproj.io/tracking-id", "the parent that tracks it sets it"),
    ("metadata.annotations.argocd.argoproj.io/refresh", "it asks for one refresh"),
    ("metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "kubectl keeps it"),
    *(
        (f"metadata.finalizers.resources-finalizer.argocd.argoproj.io{end}", _NO_CASCADE)
        for end in ("", "/")
    ),
    ("spec.source", "the values come from git"),
    ("spec.destination.name", "gen-env names the cluster by its server"),
    ("spec.destination.server", "gen-env names the cluster by its server"),
)
BOOKKEEPING = tuple(name for name, _ in _EXPECTED)
"""Settings that are not carried over; a name that ends in `/` is a prefix."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One setting that is another afterwards; '' is not there. `reason` says who wants that."""

    name: str
    before: str
    after: str
    reason: str = ""

    @property
    def expected(self) -> bool:
        """Whether gen-env changes it on purpose; any other change is no adoption."""
        return bool(self.reason)

    def as_json(self) -> dict[str, str]:
        """The documented shape of an entry of `proof.settings`."""
        return {
            "setting": self.name,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        before, after = self.before or "not set", self.after or "not set"
        return f"{self.name}: {before} before, {after} after{why}"


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings that differ between two Applications; none where there was none before."""
    if not before:
        return ()
    old, new = dict(_settings(before)), dict(_settings(after))
    if "metadata.namespace" not in old:
        new.pop("metadata.namespace", None)  # kubectl's context decides it
    return tuple(
        Setting(name, _text(name, old.get(name)), _text(name, new.get(name)), _reason(name, old))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def is_bookkeeping(name: str) -> bool:
    """Whether a setting belongs to whoever deploys the Application and is not carried over."""
    return bool(_known(name))


def _known(name: str) -> str:
    for known, reason in _EXPECTED:
        if name == known or (known.endswith("/") and name.startswith(known)):
            return reason
    return ""


def _reason(name: str, old: Mapping[str, Any]) -> str:
    if name == "spec.destination.server" and name in old:
        return ""
    return _known(name)


def _settings(application: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part, name in _PLACES:
        above = application.get(part)
        value = above.get(name) if isinstance(above, Mapping) else None
        if name == "finalizers" and isinstance(value, Sequence):
            value = {str(item): "set" for item in value}
        yield from _named(f"{part}.{name}", value)
    spec = application.get("spec")
    if isinstance(spec, Mapping):
        yield "spec.source", spec.get("sources") or spec.get("source")


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Mappings key by key; a list is one setting, its order counts. What is empty is not set.

    `automated: {}` and others whose presence alone says something are settings.
    """
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _named(f"{name}.{key}", item)
    elif value not in (None, "", []) and (value != {} or name.endswith(".automated")):
        yield name, value


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "spec.source":
        return ", ".join(map(_source, value if isinstance(value, list) else [value]))
    if "last-applied" in name:
        return "kubectl's copy of the Application"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _source(source: Any) -> str:
    if not isinstance(source, Mapping):
        return str(source)
    what = source.get("chart") or source.get("path") or source.get("ref")
    return f"{what} of {source.get('repoURL')} at {source.get('targetRevision') or 'HEAD'}"
