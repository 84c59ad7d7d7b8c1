"""Flux's objects read into the facts and conditions that verification goes by.

Field names after the HelmRelease v2 and Kustomization v1 of Flux 2.7 and newer. Helm runs its hooks
as part of an install or upgrade, so a release that is deployed has seen them succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube.fields import (
    condition,
    count,
    entries,
    is_stale,
    is_true,
    name_of,
    section,
    text,
)
from generator.kube.resource import Object
from generator.verify.application import Application, Operation, Revisions, same_version
from generator.verify.equivalence import as_desired
from generator.verify.result import Condition, failed, few, met, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, moment_at
from generator.verify.sync import Relation, relation_to
from generator.verify.target import Expected

_HOOK = "helm.sh/hook"
_BESIDE = frozenset(
    {
        "decryption", "persistentClient", "reconcileStrategy", "rollback", "serviceAccountName",
        "suspend", "test", "uninstall", "verify",
    }
)  # fmt: skip
"""Fields of a spec that leave alone what an install, an upgrade or an apply gives the cluster."""
_ANY_VERSION = ("spec.chart.spec.version", "*")
"""The API server's default for a chart, which one from git does not follow."""


def read(expected: Expected, snapshot: Snapshot) -> Application | None:
    """HelmRelease and Kustomizations in the words of an Application; None without HelmRelease."""
    release = snapshot.application
    if release is None:
        return None
    ready = all(map(_is_ready, (release, *snapshot.kustomizations)))
    revisions = Revisions(_commits(snapshot), _chart(release))
    return Application(
        manifest=release,
        sync_status="Synced" if ready else "OutOfSync",
        revisions=revisions,
        compares_present_spec=not is_stale(release),
        is_automated=not suspended(expected, snapshot),
        is_deleting=bool(text(release, "metadata", "deletionTimestamp")),
        is_requested=False,
        reconciled_at=None,
        operation=_operation(expected, release, revisions),
        errors=(),
    )


def assess(
    expected: Expected, snapshot: Snapshot, app: Application | None, *, seen: bool
) -> list[Condition]:
    """The conditions that Argo CD's Application decides otherwise, in the same order."""
    first = _assess_release(expected, snapshot, app, seen=seen)
    names = ("revision", "operation", "settled", "synced")
    blind = snapshot.unavailable.get(Source.KUSTOMIZATIONS) or (
        first.message if Source.APPLICATION in snapshot.unavailable else ""
    )
    if blind:
        return [first, *(unknown(name, blind) for name in names)]
    revision, settled = _assess_revision(expected, snapshot, app), _assess_settled(snapshot)
    if app is None:
        return [first, revision, waiting("operation", first.message), settled, _behind(first)]
    operation = _assess_release_state(app.manifest)
    arrived = first.holds and revision.holds and operation.holds
    return [first, revision, operation, settled, _applied(app) if arrived else _behind(operation)]


def suspended(expected: Expected, snapshot: Snapshot) -> str:
    """Which object is suspended and how it is resumed, or nothing."""
    made = (*snapshot.kustomizations, *([snapshot.application] if snapshot.application else ()))
    for item in made:
        if section(item, "spec").get("suspend") is True:
            kind, name = text(item, "kind"), name_of(item)
            resume = f"flux resume {kind.lower()} {name} -n {expected.application_namespace}"
            return f"{kind} {name} is suspended: `{resume}`, or gen-env pause --resume"
    return ""


def inventory(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Group, kind and name of every object that Flux says it applied.

    An id is `<namespace>_<name>_<group>_<kind>`, with `__` for each colon of a name.
    """
    for owner in (snapshot.application, *snapshot.kustomizations):
        for item in entries(owner, "status", "inventory", "entries"):
            _, _, rest = text(item, "id").partition("_")
            name, _, kind = rest.rpartition("_")
            name, _, group = name.rpartition("_")
            yield group, kind, name.replace("__", ":")


def _assess_release(
    expected: Expected, snapshot: Snapshot, app: Application | None, *, seen: bool
) -> Condition:
    name, where = "application", f"{expected.application_namespace}/{expected.application}"
    if Source.APPLICATION in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.APPLICATION])
    if app is None and seen:
        return failed(name, f"the HelmRelease {where} was deleted during verification")
    if app is None:
        return waiting(name, f"HelmRelease {where} not found: its Kustomization applies it")
    if app.is_deleting:
        return failed(name, f"the HelmRelease {where} is being deleted")
    manifest = expected.application_manifest
    if manifest is not None and (why := _other_spec(app.manifest, manifest)):
        return waiting(name, f"the HelmRelease {where} {why}: its Kustomization applies it")
    shown = f"spec as generated, generation {count(app.manifest, 'metadata', 'generation')}"
    return met(name, f"the HelmRelease {where} is the one of the commit", shown)


def _other_spec(live: Object, manifest: Object) -> str:
    """How the spec of a live object of Flux is not the commit's, or nothing.

    A field that git does not give, such as `values` or `patches`, changes what is applied as well.
    """
    found, desired = (section(item, "spec") for item in as_desired(live, manifest))
    given, wanted = ({k: v for k, v in item.items() if k != "suspend"} for item in (found, desired))
    if given != wanted:
        return "does not have the commit's spec yet"
    more = sorted(_beyond(section(live, "spec"), desired, "spec"))
    return f"has {few(more)}, which the commit does not give" if more else ""


def _beyond(live: Any, desired: Any, path: str) -> Iterator[str]:
    if isinstance(live, Mapping) and isinstance(desired, Mapping):
        for field, value in live.items():
            if field in desired:
                yield from _beyond(value, desired[field], f"{path}.{field}")
            elif value and field not in _BESIDE and (f"{path}.{field}", value) != _ANY_VERSION:
                yield f"{path}.{field}"
    elif isinstance(live, list) and isinstance(desired, list):
        if len(live) > len(desired):
            yield path
        for one, other in zip(live, desired, strict=False):
            yield from _beyond(one, other, path)


def _assess_revision(expected: Expected, snapshot: Snapshot, app: Application | None) -> Condition:
    """Both Kustomizations applied a commit that is or contains the wanted one."""
    name, wanted = "revision", expected.revision[:12]
    known = {name_of(item): item for item in snapshot.kustomizations}
    desired = {name_of(item): item for item in expected.kustomizations}
    missing = [item for item in desired if item not in known]
    if missing or not desired:
        words = f"{few(missing)} not found: Flux has not applied them" if missing else "not in git"
        return waiting(name, f"Kustomization {words}")
    for item, manifest in desired.items():
        if why := _other_spec(known[item], manifest):
            return waiting(
                name, f"Kustomization {item} {why}: what applies the cluster's folder brings it"
            )
    for live in known.values():
        commit, errors = _commit(live), _trouble(live)
        if not commit:
            return waiting(name, f"Kustomization {name_of(live)} has applied nothing yet{errors}")
        relation = relation_to(expected, commit)
        at = f"Kustomization {name_of(live)} is at {commit[:12]}"
        if relation is Relation.OTHER:
            return waiting(name, f"{at}, which does not contain {wanted}{errors}")
        if relation is Relation.UNKNOWN:
            return unknown(name, f"{at}, a commit that this clone does not have: fetch it")
    chart = app.revisions.chart if app else ""
    if app and expected.chart_version and not same_version(chart, expected.chart_version):
        present = f"has chart {chart}" if chart else "names no chart"
        return waiting(name, f"the release {present}, not {expected.chart_version}")
    shown = few(
        f"{name_of(item)} {text(item, 'status', 'lastAppliedRevision')}" for item in known.values()
    )
    return met(name, f"Flux applied a commit that is or contains {wanted}", shown)


def _assess_release_state(release: Object) -> Condition:
    """Helm installed or upgraded the release, its hooks included."""
    name, ready = "operation", condition(release, "Ready")
    if ready is None or is_stale(release):
        return waiting(name, "helm-controller has not looked at this HelmRelease yet")
    remediated = condition(release, "Remediated")
    if remediated is not None and remediated.status == "True":
        return failed(name, f"the release was remediated: {remediated.words}")
    latest = _latest(release)
    shown = f"release {text(latest, 'name')} v{count(latest, 'version')}, {text(latest, 'status')}"
    busy = is_true(release, "Reconciling")
    if ready.status == "True" and text(latest, "status") == "deployed" and not busy:
        return met(name, "Helm deployed the release", shown)
    if ready.status == "False" and (not busy or _fails_again(release)):
        return failed(name, f"{ready.words}{_failures(release)}", shown)
    return waiting(name, f"{ready.words}{_failures(release)}")


def _fails_again(release: Object) -> bool:
    """Whether a try that followed a failure failed as well; `RetryOnFailure` never gives up."""
    reconciling = condition(release, "Reconciling")
    retried = reconciling is not None and reconciling.reason == "ProgressingWithRetry"
    return retried and count(release, "status", "failures") > 1


def _assess_settled(snapshot: Snapshot) -> Condition:
    """Every Kustomization is ready at its present generation, its health checks passed."""
    name = "settled"
    for item in snapshot.kustomizations:
        if text(item, "metadata", "deletionTimestamp"):
            return failed(name, f"Kustomization {name_of(item)} is being deleted")
        if not _is_ready(item):
            words = _trouble(item) or "; it has not reconciled this generation yet"
            state = failed if is_true(item, "Stalled") else waiting
            return state(name, f"Kustomization {name_of(item)} is not ready{words}")
    if not snapshot.kustomizations:
        return waiting(name, "no Kustomization found")
    return met(name, "every Kustomization is ready and its health checks passed")


def _applied(app: Application) -> Condition:
    """As rendered, and not drifted where helm-controller (1.6 and newer) says so."""
    mode = text(app.manifest, "spec", "driftDetection", "mode") or "disabled"
    drifted = condition(app.manifest, "Drifted") if mode != "disabled" else None
    if drifted is None:
        words = (
            "applied as rendered; of changes in the cluster since then only those are seen that are"
            " in kinds that verify reads"
        )
        return met("synced", words, f"driftDetection {mode}, no condition Drifted in the status")
    if drifted.status == "True":
        head, *objects = drifted.words.splitlines() or ["it drifted"]
        return waiting("synced", f"{head} {few(objects)}".strip(), f"driftDetection {mode}")
    words = "applied as rendered, and not drifted when Flux last compared it"
    return met("synced", words, f"driftDetection {mode}, Drifted {drifted.status}")


def _behind(other: Condition) -> Condition:
    return waiting("synced", other.message)


def _is_ready(item: Object) -> bool:
    return is_true(item, "Ready") and not is_stale(item) and not is_true(item, "Reconciling")


def _trouble(item: Object) -> str:
    ready = condition(item, "Ready")
    return f": {ready.words}" if ready is not None and ready.status != "True" else ""


def _failures(release: Object) -> str:
    number = count(release, "status", "failures")
    times = "once" if number == 1 else f"{number} times"
    return f"; failed {times}, and is tried again" if number else ""


def _commit(kustomization: Object) -> str:
    """`4610…` of `main@sha1:4610…`."""
    return text(kustomization, "status", "lastAppliedRevision").rpartition(":")[2]


def _commits(snapshot: Snapshot) -> tuple[str, ...]:
    found = map(_commit, snapshot.kustomizations)
    return tuple(dict.fromkeys(commit for commit in found if commit))


def _latest(release: Object) -> Mapping[str, Any]:
    """The newest entry of the history."""
    return next(iter(entries(release, "status", "history")), {})


def _chart(release: Object) -> str:
    """Its version; Flux adds a part of the digest of a chart from a registry (`1.22.0+4f…`)."""
    return text(_latest(release), "chartVersion").partition("+")[0]


def _operation(expected: Expected, release: Object, revisions: Revisions) -> Operation:
    state = _assess_release_state(release)
    phase = "Succeeded" if state.holds else "Failed" if state.state == "failed" else "Running"
    return Operation(
        phase=phase,
        message=state.message,
        started_at=moment_at(_latest(release), "lastDeployed"),
        finished_at=None,
        revisions=revisions,
        results=tuple(_hooks(expected, release)) if state.holds else (),
        is_dry_run=False,
    )


def _hooks(expected: Expected, release: Object) -> Iterator[Mapping[str, Any]]:
    """The Jobs that Helm ran as hooks of a release that it deployed."""
    spec = section(release, "spec")
    if any(section(spec, action).get("disableHooks") for action in ("install", "upgrade")):
        return
    version = count(_latest(release), "version")
    for key, job in expected.of_kind("Job"):
        if _HOOK in section(job, "metadata", "annotations"):
            message = f"Helm ran it for v{version}, which is deployed"
            yield {"kind": "Job", "name": key.name, "hookPhase": "Succeeded", "message": message}
