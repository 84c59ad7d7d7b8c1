"""How Argo CD syncs an environment: to which cluster, by itself or not, with which options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.data import FINALIZER
from generator.kube import fields
from generator.kube.resource import Key, Object, key_of

CLUSTER = ImpactRule(
    "impact/cluster",
    ERROR,
    "The environment moves to another cluster",
    "What runs on the old one stays there and runs on, on the same database.",
    "Argo CD",
)
SYNC_POLICY = ImpactRule(
    "impact/sync-policy",
    WARNING,
    "The way in which Argo CD syncs changes",
    "Changes reach the cluster at another time, in another way, or not at all.",
    "Argo CD",
    also=((INFO, "it does less automatically"),),
)
ACCESS_ROLES = ImpactRule(
    "impact/access-roles",
    INFO,
    "The roles of `gen-env verify` change",
    "Argo CD does not apply them; a person who may grant rights does.",
)
ROOT = ImpactRule(
    "impact/root",
    WARNING,
    "The root Application changes",
    "It manages every Application and AppProject of the repository.",
    "Argo CD",
)

_AUTOMATED = {
    "prune": "deletes what leaves git, without confirmation",
    "selfHeal": "undoes changes made in the cluster",
    "allowEmpty": "may delete everything",
}
_OPTIONS = {
    "Replace": "objects are replaced as a whole",
    "ServerSideApply": "the API server merges, and other owners of fields conflict",
    "Prune": "objects that left git are deleted",
    "RespectIgnoreDifferences": "fields that are ignored are not written",
    "CreateNamespace": "the namespace is created by Argo CD",
    "FailOnSharedResource": "a sync fails over an object of another Application",
    "PruneLast": "objects that left git are deleted last",
    "Validate": "objects are validated",
    "ApplyOutOfSyncOnly": "only objects that differ are applied",
}
_ON_BY_DEFAULT = ("Prune", "Validate")


def cluster(context: Context) -> Iterator[Finding]:
    """`impact/cluster`: the destination becomes another one."""
    before, after = application(context.base), application(context.head)
    if before is None or after is None:
        return
    old, new = (_place(side) for side in (before, after))
    if old != new:
        yield CLUSTER.finding(
            key_of(after, ""),
            f"the destination moves from {old} to {new}: Argo CD leaves everything on the old "
            "cluster, where it runs on (two schedulers on one database), and SealedSecrets that "
            "were sealed for the old cluster's controller cannot be opened by another",
        )


def sync_policy(context: Context) -> Iterator[Finding]:
    """`impact/sync-policy`: automated sync, its options, and what it overlooks."""
    before, after = application(context.base), application(context.head)
    if before is None or after is None:
        return
    key = key_of(after, "")
    for words, level in (*_automated(before, after), *_options(before, after)):
        yield SYNC_POLICY.finding(key, words, level)
    old, new = (fields.at(side, "spec", "ignoreDifferences") or [] for side in (before, after))
    more, less = _apart(new, old), _apart(old, new)
    if more:
        yield SYNC_POLICY.finding(
            key,
            f"ignoreDifferences changes ({more} new): what differs there is not shown as out of "
            "sync",
        )
    elif less:
        yield SYNC_POLICY.finding(
            key, f"ignoreDifferences changes ({less} removed): what differs there is synced", INFO
        )
    yield from _finalizer(key, before, after)
    moves = _revisions(before), _revisions(after)
    if moves[0] != moves[1]:
        yield SYNC_POLICY.finding(
            key, f"it follows {listed(moves[1])} of its repositories instead of {listed(moves[0])}"
        )


def _apart(some: Any, others: Any) -> int:
    """How many of these entries the others do not have."""
    lists = [item if isinstance(item, list) else [] for item in (some, others)]
    return sum(not any(same(entry, other) for other in lists[1]) for entry in lists[0])


def _finalizer(key: Key, before: Object, after: Object) -> Iterator[Finding]:
    was, now = (
        any(name.startswith(FINALIZER) for name in fields.strings(side, "metadata", "finalizers"))
        for side in (before, after)
    )
    if was != now:
        words = "deletes everything that it manages" if now else "leaves what it manages running"
        yield SYNC_POLICY.finding(
            key,
            f"the resources finalizer {'is added' if now else 'is removed'}: deleting the "
            f"Application {words}",
            WARNING if now else INFO,
        )


def access_roles(context: Context) -> Iterator[Finding]:
    """`impact/access-roles`: what verification may do, which Argo CD does not apply."""
    before, after = context.base.objects, context.head.objects
    changed = sorted(
        key
        for key in context.base.facts.governing | context.head.facts.governing
        if key.kind not in ("AppProject", "Kustomization")
        and not same(before.get(key), after.get(key))
    )
    if changed:
        yield ACCESS_ROLES.finding(
            changed[0],
            f"{listed(changed)} of bootstrap/access: a person who may grant rights applies them, "
            f"Argo CD does not",
        )


def root(before: Object | None, after: Object | None) -> Iterator[Finding]:
    """`impact/root`: the Application of all Applications differs between the two sides."""
    if before is None or after is None or same(before, after):
        if (before is None) != (after is None):
            verb = "is added" if before is None else "is removed"
            yield ROOT.finding(None, f"the root Application {verb}")
        return
    key = key_of(after, "")
    words = [text for text, _ in (*_automated(before, after), *_options(before, after))]
    for name in ("project", "destination", "source"):
        if not same(fields.at(before, "spec", name), fields.at(after, "spec", name)):
            words.append(f"spec.{name} changes")
    yield ROOT.finding(key, "; ".join(words) or "it changes in other fields")


def application(view: View) -> Object | None:
    """The environment's own Application."""
    return view.objects.get(view.facts.application) if view.facts.application else None


def _place(manifest: Object) -> str:
    place = fields.section(manifest, "spec", "destination")
    return fields.text(place, "server") or fields.text(place, "name")


def _revisions(manifest: Object) -> list[str]:
    """Branches and tags of git; `impact/version` reports the version of a chart."""
    spec = fields.section(manifest, "spec")
    sources = [*fields.entries(spec, "sources"), fields.section(spec, "source")]
    names = {fields.text(item, "targetRevision") for item in sources if not item.get("chart")}
    return sorted(names - {""})


def _automated(before: Object, after: Object) -> Iterator[tuple[str, Any]]:
    old, new = (fields.at(side, "spec", "syncPolicy", "automated") for side in (before, after))
    was, now = (_is_on(side) for side in (old, new))
    if was != now:
        words = "every later commit is synced automatically"
        if not now:
            words = "nothing reaches the cluster until a sync is started by hand"
        yield f"automated sync is {'on' if now else 'off'}: {words}", WARNING if now else INFO
    for name, words in _AUTOMATED.items() if now else ():
        one, other = (fields.at(side, name) is True for side in (old if was else None, new))
        if one != other:
            yield (
                f"automated.{name} is {'on' if other else 'off'}: it {words}"
                if other
                else (f"automated.{name} is off: it no longer {words}"),
                WARNING if other else INFO,
            )


def _is_on(automated: Any) -> bool:
    return isinstance(automated, Mapping) and automated.get("enabled") is not False


def _options(before: Object, after: Object) -> Iterator[tuple[str, Any]]:
    old, new = (_by_name(side) for side in (before, after))
    for name in sorted(old.keys() | new.keys()):
        default = "true" if name in _ON_BY_DEFAULT else "false" if name in _OPTIONS else None
        if old.get(name, default) != new.get(name, default):
            value = f"is {new[name]}" if name in new else "is no longer set"
            no = "" if new.get(name, default) == "true" else "before: "
            rest = f": {no}{_OPTIONS[name]}" if name in _OPTIONS else ""
            yield f"sync option {name} {value}{rest}", WARNING


def _by_name(manifest: Object) -> dict[str, str]:
    options = fields.strings(manifest, "spec", "syncPolicy", "syncOptions")
    pairs = (item.partition("=") for item in options)
    return {name: value for name, _, value in pairs}


FINDERS = (cluster, sync_policy, access_roles)
