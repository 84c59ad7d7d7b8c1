"""Secrets that change, and Secrets that nobody brings."""

from __future__ import annotations

from collections.abc import Iterator

from generator.diff.equality import same
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.references import Use, pull_secrets, uses
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import Workload

Wanted = tuple[str, str, str]
"""Namespace and name of a Secret, and a key in it (empty: the Secret as a whole)."""

SECRET_RESEALED = ImpactRule(
    "impact/secret-resealed",
    WARNING,
    "The ciphertext of a SealedSecret changes",
    "Whether a value differs cannot be seen.",
    "Sealed Secrets",
)
SECRET_CHANGED = ImpactRule(
    "impact/secret-changed",
    WARNING,
    "A plain Secret changes",
    "Pods that read it at start keep the old value; keys are named, values never.",
    "Kubernetes",
)
SECRET_UNSEALED = ImpactRule(
    "impact/secret-unsealed",
    ERROR,
    "A SealedSecret without ciphertext reaches the cluster",
    "The controller cannot unseal it, and pods that need it do not start.",
    "Sealed Secrets",
)
SECRET_MISSING = ImpactRule(
    "impact/secret-missing",
    ERROR,
    "Pods use a Secret that is neither rendered nor declared",
    "They do not start.",
    "Kubernetes",
    also=((INFO, "nothing is declared here, or it was so before this change"),),
)


PULL_SECRET = ImpactRule(
    "impact/pull-secret",
    WARNING,
    "Pods no longer name a Secret for the pull of their images",
    "Images of a private registry cannot be pulled where the node has no access of its own.",
    "Kubernetes",
)


def pulled(context: Context) -> Iterator[Finding]:
    """`impact/pull-secret`: neither the pods nor their ServiceAccount name it any more."""
    lost: dict[frozenset[str], list[Workload]] = {}
    for after in context.head.workloads:
        before = context.base.by_key.get(after.key)
        if before is not None:
            now = pull_secrets(context.head.objects, after)
            gone = pull_secrets(context.base.objects, before) - now
            lost.setdefault(frozenset() if now else gone, []).append(after)
    for names, works in lost.items():
        if names:
            components = listed(sorted({work.component for work in works}))
            yield PULL_SECRET.finding(
                works[0].key,
                f"{components} no longer {verb(works, 'names', 'name')} {listed(sorted(names))}, "
                "nor does a rendered ServiceAccount: images of a private registry cannot be "
                "pulled, unless the node may",
                also=[work.key for work in works[1:]],
            )


def resealed(context: Context) -> Iterator[Finding]:
    """`impact/secret-resealed`: ciphertext of a SealedSecret differs."""
    for key, before, after in context.kept:
        if key.kind == "SealedSecret":
            words = _difference(
                fields.section(before, "spec", "encryptedData"),
                fields.section(after, "spec", "encryptedData"),
                "resealed",
            )
            if words:
                yield SECRET_RESEALED.finding(
                    key, f"{words}; whether a value differs cannot be seen"
                )


def changed(context: Context) -> Iterator[Finding]:
    """`impact/secret-changed`: a Secret in plain form differs; keys are named, values never."""
    for key, before, after in context.kept:
        if key.kind == "Secret":
            words = [
                _difference(fields.section(before, part), fields.section(after, part), "changed")
                for part in ("data", "stringData")
            ]
            if any(words):
                yield SECRET_CHANGED.finding(key, "; ".join(filter(None, words)))


def unsealed(context: Context) -> Iterator[Finding]:
    """`impact/secret-unsealed`: a stub without ciphertext reaches the cluster with this change."""
    before = context.base.of_kind("SealedSecret")
    for key, manifest in context.head.of_kind("SealedSecret").items():
        known = _empty(before[key]) if key in before else set()
        empty = sorted(_empty(manifest) - known)
        if empty:
            yield SECRET_UNSEALED.finding(
                key,
                f"{listed(empty)} {verb(empty, 'is', 'are')} still empty: the controller cannot "
                "unseal it, and pods that need it do not start",
            )


def _empty(manifest: Object) -> set[str]:
    """Keys of a SealedSecret without a ciphertext."""
    data = fields.section(manifest, "spec", "encryptedData")
    return {str(name) for name, value in data.items() if value in ("", None)}


def missing(context: Context) -> Iterator[Finding]:
    """`impact/secret-missing`: pods name a Secret that neither git nor a declaration brings.

    Where nothing is declared at all, only references that are new with this change are reported.
    """
    before, after = _missing(context.base), _missing(context.head)
    brought = context.base.secrets
    declared = context.head.facts.declared_secrets is not None
    for (namespace, secret, key), users in sorted(after.items()):
        known = (namespace, secret, key) in before
        kept = brought.get((namespace, secret), frozenset())
        taken_away = (namespace, secret) in brought and (not key or kept is None or key in kept)
        if taken_away or (known and not declared):
            continue  # `reference-gone` and `secret-pruned` report what is removed
        subject = f"key {key} of the Secret" if key else "the Secret"
        where = (
            "is neither in this render nor declared as existing"
            if declared
            else "is not in this render; make sure that it exists in the cluster"
        )
        yield SECRET_MISSING.finding(
            Key("", "Secret", namespace, secret),
            f"{subject} that {listed(sorted(users))} {verb(users, 'needs', 'need')} {where}"
            + (" (already so before this change)" if known else ""),
            ERROR if declared and not known else INFO,
        )


def _missing(view: View) -> dict[Wanted, set[str]]:
    brought = view.secrets
    declared = view.facts.declared_secrets or frozenset()
    found: dict[Wanted, set[str]] = {}
    for namespace, use, user in _wanted(view):
        if use.name in declared or use.optional:
            continue
        keys = brought.get((namespace, use.name), frozenset())
        absent = use.keys - keys if keys is not None else frozenset()
        if (namespace, use.name) not in brought:
            absent = frozenset({""})
        for key in absent:
            found.setdefault((namespace, use.name, key), set()).add(user)
    return found


def _wanted(view: View) -> Iterator[tuple[str, Use, str]]:
    """Every Secret that a pod or an Ingress names, and who names it."""
    for work in view.workloads:
        for use in uses(work):
            if use.kind == "Secret":
                yield work.key.namespace, use, work.component
    for key, manifest in view.of_kind("Ingress").items():
        for entry in fields.entries(manifest, "spec", "tls"):
            if name := fields.text(entry, "secretName"):
                yield key.namespace, Use("Secret", name), f"Ingress {key.name}"


def _difference(before: Object, after: Object, verb: str) -> str:
    both = before.keys() & after.keys()
    parts = (
        (verb, sorted(name for name in both if not same(before[name], after[name]))),
        ("new", sorted(after.keys() - before.keys())),
        ("gone", sorted(before.keys() - after.keys())),
    )
    return "; ".join(f"{word}: {listed(names)}" for word, names in parts if names)


FINDERS = (resealed, changed, unsealed, missing, pulled)
