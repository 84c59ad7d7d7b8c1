"""How Flux applies an environment: whether it is suspended, and what it does with drift."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.argocd import SYNC_POLICY, application
from generator.kube import fields, pruning
from generator.kube.resource import Key, Object, key_of

ENGINE = ImpactRule(
    "impact/engine",
    ERROR,
    "Another engine applies the environment",
    "The old one goes on until a person removes its objects: both would apply one environment.",
    "Argo CD, Flux",
)

RECORDS = ImpactRule(
    "impact/helm-records",
    ERROR,
    "Helm's records are kept under another name or elsewhere",
    "Helm does not find the installed release: Flux uninstalls it and installs another one.",
    "fluxcd.io, HelmRelease",
    also=((WARNING, "another HelmRelease looks for the same records"),),
)

_UNINSTALLS = (
    "Flux does not find the installed release by them: it uninstalls that, then installs another "
    "one; Airflow is down meanwhile, and of its data only what Helm keeps "
    "(helm.sh/resource-policy) stays"
)
_TWO = (
    "another release is installed, and the old one runs on, on the same database, until its "
    "HelmRelease is deleted"
)
_SAME = (
    "both have the same Helm release, and Flux uninstalls it when the old one is deleted: "
    "suspend that one before the merge"
)
_SUSPENDED = (
    "both have the same Helm release, and Flux uninstalls it when the old one is deleted, unless "
    "that is suspended: it is in git, and the cluster was not read"
)
_NAMES = {"Application": "Argo CD", "HelmRelease": "Flux"}


def engine(context: Context) -> Iterator[Finding]:
    """`impact/engine`: an Application where a HelmRelease was, or the other way round."""
    before, after = context.base.facts.application, context.head.facts.application
    if before is None or after is None or before.kind == after.kind:
        return
    yield ENGINE.finding(
        after,
        f"{_NAMES.get(after.kind, after.kind)} applies it instead of "
        f"{_NAMES.get(before.kind, before.kind)}: remove {before} without its resources before "
        "the merge, or both engines apply the environment",
    )


def records(context: Context) -> Iterator[Finding]:
    """`impact/helm-records`: other names by which Helm finds the release that is installed.

    helm-controller does not move a release: it uninstalls the old one first (fluxcd.io,
    HelmRelease v2: release name, target namespace, storage namespace).
    """
    before, after = application(context.base), application(context.head)
    if before is None or after is None:
        return
    if {before.get("kind"), after.get("kind")} != {"HelmRelease"}:
        return
    old, new = (_found_by(item) for item in (before, after))
    moved = [f"{name} {old[name]} → {new[name]}" for name in old if old[name] != new[name]]
    was = key_of(before)
    if was == key_of(after):
        if moved:
            yield RECORDS.finding(was, f"{', '.join(moved)}: {_UNINSTALLS}")
    elif moved:
        yield RECORDS.finding(key_of(after), f"it replaces {was}, and {', '.join(moved)}: {_TWO}")
    else:
        words = _SUSPENDED if pruning.is_suspended(before) else _SAME
        yield RECORDS.finding(key_of(after), f"it replaces {was}: {words}", WARNING)


def _found_by(release: Object) -> dict[str, str]:
    """What Helm keys its records by, as Flux fills it in where it is not set."""
    place, name = fields.text(release, "metadata", "namespace"), fields.name_of(release)
    target = fields.text(release, "spec", "targetNamespace")
    return {
        "releaseName": fields.text(release, "spec", "releaseName")
        or (f"{target}-{name}" if target else name),
        "targetNamespace": target or place,
        "storageNamespace": fields.text(release, "spec", "storageNamespace") or place,
    }


def sync_policy(context: Context) -> Iterator[Finding]:
    """`impact/sync-policy`: suspended or not, pruning, and what happens to drift."""
    own = application(context.head)
    if own is None or own.get("kind") != "HelmRelease":
        return
    before, after = _flux(context.base), _flux(context.head)
    for key in sorted(before.keys() & after.keys()):
        yield from _changed(key, before[key], after[key])


def _flux(view: View) -> dict[Key, Object]:
    """HelmRelease and Kustomizations."""
    made = view.of_kind("HelmRelease", "Kustomization")
    wanted = view.facts.deployers | view.facts.governing
    return {key: item for key, item in made.items() if key in wanted}


def _changed(key: Key, before: Object, after: Object) -> Iterator[Finding]:
    old, new = (fields.section(item, "spec") for item in (before, after))
    was, now = (item.get("suspend") is True for item in (old, new))
    if was != now:
        words = "suspended: git does not reach the cluster until it is resumed"
        if not now:
            words = "no longer suspended: every later commit is applied"
        yield SYNC_POLICY.finding(key, f"it is {words}", INFO if now else WARNING)
    was, now = (item.get("prune") is True for item in (old, new))
    if was != now:
        words = "deletes what leaves git" if now else "no longer deletes what leaves git"
        yield SYNC_POLICY.finding(key, f"it {words}", WARNING if now else INFO)
    was, now = (pruning.protection(item, "flux") == "kept" for item in (before, after))
    if was != now:
        words = "is no longer kept: it goes when its file does, and what it applied goes with it"
        if now:
            words = "is kept when its file leaves git, and what it applied stays"
        yield SYNC_POLICY.finding(key, f"it {words}", INFO if now else WARNING)
    mode, other = (fields.text(item, "driftDetection", "mode") for item in (old, new))
    if mode != other:
        words = f"driftDetection is {other or 'disabled'} instead of {mode or 'disabled'}"
        yield SYNC_POLICY.finding(key_of(after), words, WARNING if other == "enabled" else INFO)


FINDERS = (engine, records, sync_policy)
