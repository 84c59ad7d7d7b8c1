"""Configuration and identity that running pods keep as they were, since nothing restarts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import plain, same
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import WARNING, Finding, ImpactRule
from generator.impact.rights import account
from generator.impact.rules.references import uses
from generator.kube import fields
from generator.kube.resource import Key
from generator.kube.workload import ROLLED, Workload

NOT_RESTARTED = ImpactRule(
    "impact/not-restarted",
    WARNING,
    "Configuration or an identity changes, but pods that took it at their start stay",
    "Old values stay in use until somebody restarts the pods.",
    "Kubernetes",
)
IDENTITY = ImpactRule(
    "impact/identity",
    WARNING,
    "Pods act as another identity of the cloud",
    "It may lack what the old one may do, or have more.",
    "EKS, AKS and GKE on workload identity",
)

# Written into a pod when it is created, by the cloud's webhook; GKE asks on each token instead.
_AT_CREATION = (
    "azure.workload.identity/client-id",
    "azure.workload.identity/tenant-id",
    "eks.amazonaws.com/role-arn",
)
_AT_TOKEN = "iam.gke.io/gcp-service-account"
# By which a pod itself asks for an identity: an annotation of Vault's agent, a label of Azure.
_OF_POD = ("vault.hashicorp.com/role", "azure.workload.identity/use")


def not_restarted(context: Context) -> Iterator[Finding]:
    """`impact/not-restarted`: configuration changes, but pods that read it at start stay."""
    restarted = {after.key for _, after in context.restarted}
    stale: dict[tuple[str, str, str], list[Workload]] = {}
    for work in context.head.workloads:
        if (
            work.key.kind in ROLLED
            and work.key not in restarted
            and context.base.by_key.get(work.key)
        ):
            for use in uses(work):
                if use.at_start:
                    users = stale.setdefault((use.kind, work.key.namespace, use.name), [])
                    users += [work] if work not in users else []
    for key, before, after in context.kept:
        kind = "Secret" if key.kind == "SealedSecret" else key.kind
        users = stale.get((kind, key.namespace, key.name), [])
        if users and _content(before) != _content(after):
            names = sorted(work.component for work in users)
            read, are = verb(names, "reads", "read"), verb(names, "is", "are")
            yield NOT_RESTARTED.finding(
                key,
                f"its content changes, but {listed(names)} {read} it at the start and {are} not "
                "restarted: old values stay in use until somebody restarts it",
            )


def identity(context: Context) -> Iterator[Finding]:
    """`impact/identity`, `impact/not-restarted`: annotations of ServiceAccounts for the cloud."""
    restarted = {after.key for _, after in context.restarted}
    changes: dict[tuple[str, ...], list[Key]] = {}
    for key, before, after in context.kept:
        changed = _changed(before, after) if key.kind == "ServiceAccount" else []
        if changed:
            changes.setdefault(tuple(changed), []).append(key)
    for names, keys in changes.items():
        remain = [_given(context.head.objects[key], names) for key in keys]
        yield IDENTITY.finding(keys[0], _words(names, gone=not any(remain)), also=keys[1:])
        stale = [
            work
            for work in context.head.workloads
            if work.key.kind in ROLLED
            and work.key in context.base.by_key
            and work.key not in restarted
            and any(account(work) == ("ServiceAccount", key.namespace, key.name) for key in keys)
        ]
        if stale and any(name in _AT_CREATION for name in names):
            components = sorted({work.component for work in stale})
            yield NOT_RESTARTED.finding(
                keys[0],
                f"{listed(names)} changes, and it is given to pods when they are created: "
                f"{listed(components)} {verb(components, 'keeps', 'keep')} the old identity until "
                "somebody restarts them; take its rights away only after that",
                also=keys[1:],
            )


def other_identity(context: Context) -> Iterator[Finding]:
    """`impact/identity`: pods run under another ServiceAccount, or ask for another identity."""
    moved: dict[tuple[str, ...], list[Workload]] = {}
    for before, after in (*context.restarted, *context.replaced):
        old, new = _identity(context.base, before), _identity(context.head, after)
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        accounts = [account(work)[2] for work in (before, after)]
        if names and (accounts[0] != accounts[1] or not {*names}.isdisjoint(_OF_POD)):
            stays = accounts[0] == accounts[1]
            moved.setdefault((*(("", "") if stays else accounts), *names), []).append(after)
    for (was, now, *names), works in moved.items():
        how = f"ServiceAccount {was} → {now}" if was != now else "by labels or annotations of pods"
        is_seen = Key("", "ServiceAccount", works[0].key.namespace, now) in context.head.objects
        rest = "is not what it was"
        if was != now and not is_seen:
            rest = f"may differ, as ServiceAccount {now} is not rendered"
        yield IDENTITY.finding(
            works[0].key,
            f"{listed(sorted({work.component for work in works}))} {verb(works, 'gets', 'get')} "
            f"another identity or none ({how}): {listed(names)} {rest}",
            also=[work.key for work in works[1:]],
        )


def _identity(view: View, work: Workload) -> dict[str, Any]:
    """What the cloud or Vault knows the pods by; nothing of an account that is not rendered."""
    _, space, name = account(work)
    manifest = view.objects.get(Key("", "ServiceAccount", space, name))
    given = fields.section(manifest, "metadata", "annotations")
    notes = fields.section(work.template, "metadata", "annotations")
    found = {name: given.get(name) for name in (*_AT_CREATION, _AT_TOKEN)}
    found |= {name: notes.get(name, work.labels.get(name)) for name in _OF_POD}
    return {name: value for name, value in found.items() if value is not None}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = (fields.section(side, "metadata", "annotations") for side in (before, after))
    return sorted(
        str(name)
        for name in old.keys() | new.keys()
        if name in (*_AT_CREATION, _AT_TOKEN) and not same(old.get(name), new.get(name))
    )


def _given(manifest: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    notes = fields.section(manifest, "metadata", "annotations")
    return any(notes.get(name) for name in names)


def _words(names: tuple[str, ...], *, gone: bool) -> str:
    when = "from their creation on" if _AT_TOKEN not in names else "from their next token on"
    if gone:
        return f"{listed(names)} is removed: pods have no such identity any more {when}"
    return f"{listed(names)} changes: pods act as the new identity {when}"


def _content(manifest: Mapping[str, Any]) -> str:
    if manifest.get("kind") == "SealedSecret":
        return plain(fields.at(manifest, "spec", "encryptedData"))
    return plain([manifest.get(part) for part in ("data", "stringData", "binaryData")])


FINDERS = (not_restarted, identity, other_identity)
