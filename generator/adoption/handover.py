"""How the release changes hands: the old owner lets go, nothing in the cluster goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.adoption.adopt import Takeover
from generator.adoption.source import Owner
from generator.definition.definition import SETTINGS

_NEVER = (
    "never delete the old owner with cascade, never `helm uninstall`, never `flux delete`: each"
    " removes Airflow, and the volumes with it"
)


def steps(takeover: Takeover) -> Iterator[str]:
    """What people do, in this order, after the definition is merged."""
    owner = takeover.original.owner
    if SETTINGS in takeover.plan.writes:
        yield (
            f"merge the change of {SETTINGS} first, by itself: it allows the names that are kept,"
            " and a pull request cannot widen its own rights"
        )
    for item in takeover.secrets:
        for name, keys in item.secrets:
            namespace = takeover.original.source.namespace
            annotation = "argocd.argoproj.io/sync-options=Prune=false"
            if takeover.engine == "flux":
                annotation = "helm.sh/resource-policy=keep"
            yield (
                f"before the merge: make sure that Secret {name} in {namespace} holds"
                f" {', '.join(keys)} and survives: kubectl annotate secret -n {namespace} {name}"
                f" {annotation}"
            )
    match owner.kind:
        case _ if takeover.engine == "flux":
            yield from _flux(owner, takeover)
        case "Application":
            yield from _application(owner, takeover)
        case "HelmRelease":
            yield from _helm_release(owner, takeover)
        case _:
            yield from _helm(takeover)
    if takeover.original.source.key:
        yield (
            "the umbrella chart's own templates are not part of this: move them into manifests of"
            " yours before the old owner is removed"
        )
    if takeover.engine != "flux":
        yield "look at the diff before the first sync: only Argo CD's own tracking may differ"
    yield f"then, one pull request each: gen-env harden {takeover.name}"
    yield _NEVER


def _flux(owner: Owner, takeover: Takeover) -> Iterator[str]:
    """The same Helm release, with its records, under a HelmRelease of gen-env's."""
    release = takeover.built.release
    assert release is not None
    hub = release.resolved.settings.repository.flux.namespace
    ours = release.application
    if owner.kind != "HelmRelease":
        yield (
            f"nobody may run helm for {takeover.original.source.release} from now on: Flux"
            " upgrades the release that Helm's records name"
        )
        yield f"after the merge: flux resume kustomization {ours} -n {hub}, if it is suspended"
        return
    yield f"stop Flux before the merge: flux suspend helmrelease {owner.name} -n {owner.namespace}"
    yield (
        "remove the old HelmRelease from git in the same merge, and its values and chart source"
        " where nothing else uses them: a suspended HelmRelease is deleted without uninstalling"
    )
    if (owner.name, owner.namespace) == (ours, hub):
        yield (
            f"the object keeps its name: when the Kustomization {ours} is ready, flux resume"
            f" helmrelease {ours} -n {hub}"
        )
        yield f"before the merge: no other Kustomization in {hub} may be called {ours}"
        return
    yield (
        f"see that HelmRelease {owner.name} is gone from {owner.namespace} before HelmRelease"
        f" {ours} in {hub} runs: it goes on with the same Helm release"
    )


def _application(owner: Owner, takeover: Takeover) -> Iterator[str]:
    release = takeover.built.release
    ours = release.application if release is not None else owner.name
    where = f"-n {owner.namespace or 'argocd'}"
    if owner.automated:
        yield f"switch automated sync off: argocd app set {owner.name} --sync-policy none"
    if owner.cascades:
        yield (
            "take the finalizer away, so that deleting the Application deletes nothing else:"
            f" kubectl patch application {owner.name} {where} --type merge"
            ' -p \'{"metadata":{"finalizers":null}}\''
        )
    if ours == owner.name:
        yield (
            f"the Application keeps its name {owner.name}: remove the old file where it is"
            " declared, in the same merge; whatever creates it must not prune it"
            " (root Application: prune off, or Prune=false on it)"
        )
        return
    yield f"remove {owner.name} from where it is declared, with pruning off"
    yield f"delete it alone: kubectl delete application {owner.name} {where} --cascade=orphan"


def _helm_release(owner: Owner, takeover: Takeover) -> Iterator[str]:
    where = f"-n {owner.namespace or 'flux-system'}"
    yield f"stop Flux: flux suspend helmrelease {owner.name} {where}"
    yield (
        f"remove its file from git while it is suspended: a suspended HelmRelease is deleted"
        f" without uninstalling (else: kubectl patch helmrelease {owner.name} {where} --type merge"
        ' -p \'{"metadata":{"finalizers":null}}\' first)'
    )
    yield from _helm(takeover)


def _helm(takeover: Takeover) -> Iterator[str]:
    source = takeover.original.source
    yield (
        "when Argo CD has synced, drop Helm's own records, and nothing else: kubectl delete secret"
        f" -n {source.namespace} -l owner=helm,name={source.release}"
    )
