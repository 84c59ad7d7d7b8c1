"""Configuration and identity that running pods keep as they were, since nothing restarts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import plain, same
from generator.impact.context import Context, listed, verb
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
_AT_CREATION = ("eks.amazonaws.com/", "azure.workload.identity/")
_AT_TOKEN = "iam.gke.io/gcp-service-account"


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
        yield IDENTITY.finding(keys[0], _words(names), also=keys[1:])
        stale = [
            work
            for work in context.head.workloads
            if work.key.kind in ROLLED
            and work.key in context.base.by_key
            and work.key not in restarted
            and any(account(work) == ("ServiceAccount", key.namespace, key.name) for key in keys)
        ]
        if stale and any(name.startswith(_AT_CREATION) for name in names):
            components = sorted({work.component for work in stale})
            yield NOT_RESTARTED.finding(
                keys[0],
                f"{listed(names)} changes, and it is given to pods when they are created: "
                f"{listed(components)} {verb(components, 'keeps', 'keep')} the old identity until "
                "somebody restarts them; take its rights away only after that",
                also=keys[1:],
            )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = (fields.section(side, "metadata", "annotations") for side in (before, after))
    return sorted(
        str(name)
        for name in old.keys() | new.keys()
        if str(name).startswith((*_AT_CREATION, _AT_TOKEN))
        and not same(old.get(name), new.get(name))
    )


def _words(names: tuple[str, ...]) -> str:
    when = "from their creation on" if _AT_TOKEN not in names else "from their next token on"
    return f"{listed(names)} changes: pods act as the new identity {when}"


def _content(manifest: Mapping[str, Any]) -> str:
    if manifest.get("kind") == "SealedSecret":
        return plain(fields.at(manifest, "spec", "encryptedData"))
    return plain([manifest.get(part) for part in ("data", "stringData", "binaryData")])


FINDERS = (not_restarted, identity)
