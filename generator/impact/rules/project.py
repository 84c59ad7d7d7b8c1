"""What an AppProject permits an environment, and when it may sync."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.argocd import application
from generator.kube import fields
from generator.kube.resource import CLUSTER_SCOPED, Key, Object, key_of

SYNC_WINDOW = ImpactRule(
    "impact/sync-window",
    WARNING,
    "A sync window is added, removed or changed",
    "Syncs are possible at times at which they were not, or the other way round.",
    "Argo CD",
    also=((INFO, "fewer syncs are possible"),),
)
PROJECT = ImpactRule(
    "impact/project",
    WARNING,
    "Another AppProject, or one that permits more",
    "It decides what may be deployed, from where to where, and who may do it.",
    "Argo CD",
    also=((ERROR, "it does not permit what the environment needs"), (INFO, "it permits less")),
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_SSH = re.compile(r"(?:ssh://)?[^/:]*@[^@]+")
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_WIDER = ("sourceRepos", "sourceNamespaces", "destinations", "clusterResourceWhitelist",
          "namespaceResourceWhitelist", "roles")  # fmt: skip
_LIMITS = ("clusterResourceBlacklist", "namespaceResourceBlacklist", "signatureKeys")


def sync_window(context: Context) -> Iterator[Finding]:
    """`impact/sync-window`: when syncs are denied or allowed."""
    for before, after in _projects(context):
        key = key_of(after, "")
        sides = [_stated(side) for side in (before, after)]
        allows = any(item["kind"] == "allow" for item in sides[1])
        old, new = (_windows(_without(*pair)) for pair in (sides, sides[::-1]))
        for place in sorted(old.keys() | new.keys()):
            for words, level in _window_change(place, old.get(place), new.get(place), allows):
                yield SYNC_WINDOW.finding(key, words, level)


def project(context: Context) -> Iterator[Finding]:
    """`impact/project`: another project, one that permits more, or less than is needed."""
    old, new = (
        fields.text(application(view), "spec", "project") for view in (context.base, context.head)
    )
    if old and new and old != new:
        yield PROJECT.finding(
            context.head.facts.application,
            f"AppProject {old} → {new}: sources, destinations, kinds, windows and roles are those "
            "of the other one",
        )
    for before, after in _projects(context):
        yield from _permissions(before, after)
    for after in _governing(context.head, "AppProject"):
        yield from _refused(context, after)


def _governing(view: View, kind: str) -> list[Object]:
    keys = sorted(key for key in view.facts.governing if key.kind == kind)
    return [view.objects[key] for key in keys if key in view.objects]


def _projects(context: Context) -> Iterator[tuple[Object, Object]]:
    for after in _governing(context.head, "AppProject"):
        before = context.base.objects.get(key_of(after, context.head.side.namespace))
        if before is not None:
            yield before, after


_Place = tuple[str, str, str, int]
"""Kind, schedule and time zone of a window, and which of several with these it is."""


def _stated(manifest: Object) -> list[dict[str, Any]]:
    """The windows with their defaults."""
    default = {"kind": "", "schedule": "", "timeZone": "UTC", "manualSync": False}
    windows = fields.entries(manifest, "spec", "syncWindows")
    return [
        {**default, **{name: value for name, value in item.items() if value not in ("", None)},
         "seconds": _seconds(fields.text(item, "duration"))}
        for item in windows
    ]  # fmt: skip


def _without(windows: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The windows that the others do not have as they are."""
    rest = [_plain(item) for item in others]
    left = []
    for item in windows:
        if _plain(item) in rest:
            rest.remove(_plain(item))
        else:
            left.append(item)
    return left


def _plain(window: Mapping[str, Any]) -> str:
    apart = {name: value for name, value in window.items() if name != "duration"}
    return json.dumps(apart, sort_keys=True, default=str)


def _windows(windows: list[dict[str, Any]]) -> dict[_Place, Mapping[str, Any]]:
    found: dict[_Place, Mapping[str, Any]] = {}
    for item in windows:
        kind, schedule, zone = (str(item[name]) for name in ("kind", "schedule", "timeZone"))
        number = sum(place[:3] == (kind, schedule, zone) for place in found)
        found[kind, schedule, zone, number] = item
    return found


def _window_change(
    place: _Place,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    allows: bool,
) -> Iterator[tuple[str, Any]]:
    """What a window's change means; a deny window that shrinks opens what it closed.

    `allows` says whether the head has any allow window.
    """
    kind, schedule, zone, _ = place
    name = f"{kind} window `{schedule}` ({zone})"
    denies = kind == "deny"
    if old is None or new is None:
        there = new if old is None else old
        lasts = fields.text(there, "duration")
        opens = denies == (new is None)
        verb = "is added" if old is None else "is removed"
        words = "syncs are possible then" if opens else "syncs are not possible then"
        if not denies and not (opens or allows):
            words = "no allow window is left, so syncs are possible at all times"
        elif not denies:
            words += "; where allow windows exist, syncs are possible only in them"
        yield f"{name}, {lasts}, {verb}: {words}", WARNING if opens or not denies else INFO
        return
    was, now = (fields.text(item, "duration") for item in (old, new))
    if _seconds(was) != _seconds(now):
        shorter = _seconds(now) < _seconds(was)
        rest = (
            "syncs are possible in the rest of the time"
            if shorter == denies
            else ("syncs are not possible in more of the time")
        )
        yield f"{name}: {was} → {now}, {rest}", WARNING if shorter == denies else INFO
    if old["manualSync"] != new["manualSync"]:
        by_hand = new["manualSync"] is True
        yield (
            f"{name}: syncs by hand are {'possible' if by_hand else 'not possible'} in it",
            WARNING if by_hand else INFO,
        )
    apart = ("duration", "seconds", "manualSync")
    others = [{k: v for k, v in item.items() if k not in apart} for item in (old, new)]
    if not same(*others):
        yield f"{name} changes", WARNING


def _seconds(duration: str) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))


def _permissions(before: Object, after: Object) -> Iterator[Finding]:
    key = key_of(after, "")
    for field in (*_WIDER, *_LIMITS):
        old, new = (_entries(side, field) for side in (before, after))
        more, less = sorted(new - old), sorted(old - new)
        opens = bool(less) if field in _LIMITS else bool(more)
        if more or less:
            words = [f"{verb} {listed(items, 5)}" for verb, items in
                     (("adds", more), ("drops", less)) if items]  # fmt: skip
            yield PROJECT.finding(key, f"{field} {' and '.join(words)}", WARNING if opens else INFO)


def _entries(manifest: Object, field: str) -> set[str]:
    given = fields.at(manifest, "spec", field)
    return {
        item if isinstance(item, str) else _words(item)
        for item in (given if isinstance(given, list) else ())
    }


def _words(entry: Any) -> str:
    """`ConfigMap`, `Deployment of apps`, `airflow at https://…`, or the entry as it is."""
    if not isinstance(entry, Mapping):
        return str(entry)
    if "kind" in entry and len(entry) <= 2:
        group = fields.text(entry, "group")
        return fields.text(entry, "kind") + (f" of {group}" if group else "")
    if "namespace" in entry:
        place = fields.text(entry, "server") or fields.text(entry, "name")
        return f"{fields.text(entry, 'namespace')} at {place}"
    return json.dumps(entry, sort_keys=True, default=str)


def _refused(context: Context, manifest: Object) -> Iterator[Finding]:
    """What the environment needs and the project does not permit: the sync is refused."""
    own = application(context.head)
    if own is None or not context.is_update:
        return
    key = key_of(manifest, "")
    if not _permits_place(manifest, own):
        yield PROJECT.finding(key, "its destinations do not include this environment's: Argo CD "
                              "refuses the sync", ERROR)  # fmt: skip
    patterns = fields.strings(manifest, "spec", "sourceRepos")
    sources = [*fields.entries(own, "spec", "sources"),
               fields.section(own, "spec", "source")]  # fmt: skip
    for url in sorted({fields.text(item, "repoURL") for item in sources} - {""}):
        if not _permits_source(url, patterns):
            yield PROJECT.finding(
                key, f"it does not permit the source {url}: Argo CD refuses the sync", ERROR
            )
    refused = sorted(
        {item.kind for item in _deployed(context.head) if not _permits(manifest, item)}
    )
    if refused:
        yield PROJECT.finding(
            key, f"it does not permit the kinds {listed(refused)}: Argo CD refuses the sync", ERROR
        )


def _permits_place(manifest: Object, own: Object) -> bool:
    """Whether the project permits the Application's destination (isDestinationMatched).

    Entries count in their order: one with `!` that does not apply permits all others.
    """
    place = fields.section(own, "spec", "destination")
    cluster = next((name for name in ("server", "name") if fields.text(place, name)), "server")
    permitted = False
    for item in fields.entries(manifest, "spec", "destinations"):
        given, namespace = fields.text(item, cluster), fields.text(item, "namespace")
        if not given and fields.text(item, "server" if cluster == "name" else "name"):
            permitted = True  # by the other name of a cluster: whether it is the same is not known
        is_cluster = _matches(given, fields.text(place, cluster))
        is_namespace = _matches(namespace, fields.text(place, "namespace"))
        if is_cluster and is_namespace:
            permitted = True
        elif (is_namespace and given.startswith("!")) or (is_cluster and namespace.startswith("!")):
            return False
    return permitted


def _matches(pattern: str, text: str) -> bool:
    denies = pattern.startswith("!")
    return fnmatch.fnmatchcase(text, pattern.removeprefix("!")) != denies


def _permits_source(url: str, patterns: list[str]) -> bool:
    """Whether the project permits a source (argo-cd, AppProject.IsSourcePermitted)."""
    permitted = False
    for pattern in patterns:
        denies = pattern.startswith("!")
        # Alternatives (`{a,b}`) are not read, so they count as permitted.
        if pattern == "*" or "{" in pattern or _is_source(pattern.lstrip("!"), url) != denies:
            permitted = True
        elif denies:
            return False
    return permitted


def _is_source(pattern: str, url: str) -> bool:
    """Argo CD compares URLs by their normal form, and `*` does not go beyond a `/`."""
    wanted, given = _normal(pattern), _normal(url)
    if "**" in wanted:
        return fnmatch.fnmatchcase(given, wanted)
    parts = list(zip(given.split("/"), wanted.split("/"), strict=False))
    return given.count("/") == wanted.count("/") and all(fnmatch.fnmatchcase(*it) for it in parts)


def _normal(url: str) -> str:
    """argo-cd/util/git, NormalizeGitURL: case, `.git` and the form of SSH URLs do not matter."""
    text = url.strip().lower()
    if _SSH.fullmatch(text) and not text.startswith("ssh://"):
        text = text.replace(":", "/", 1)
    return text.removesuffix(".git").removeprefix("ssh://")


def _deployed(view: View) -> Iterator[Key]:
    apart = {view.facts.application, *view.facts.governing}
    return (key for key in view.objects if key not in apart)


def _permits(manifest: Object, key: Key) -> bool:
    """argo-cd.readthedocs.io, projects: of the cluster only what is listed, else all but that."""
    wide = key.kind in CLUSTER_SCOPED or not key.namespace
    scope = "clusterResource" if wide else "namespaceResource"
    listed_kinds = fields.at(manifest, "spec", f"{scope}Whitelist")
    denied = fields.entries(manifest, "spec", f"{scope}Blacklist")
    if any(_covers(entry, key) for entry in denied):
        return False
    if not isinstance(listed_kinds, list):
        return not wide
    return any(
        _covers(entry, key) for entry in fields.entries(manifest, "spec", f"{scope}Whitelist")
    )


def _covers(entry: Mapping[str, Any], key: Key) -> bool:
    group, kind = fields.text(entry, "group"), fields.text(entry, "kind")
    return fnmatch.fnmatchcase(key.group, group) and fnmatch.fnmatchcase(key.kind, kind)


FINDERS = (sync_window, project)
