"""How Argo CD applies an object: with which kind of apply, and whether it deletes it first."""

from __future__ import annotations

from generator.impact.context import Context
from generator.kube import fields
from generator.kube.ignore_differences import pointers, speaks_of
from generator.kube.pruning import sync_options
from generator.kube.resource import Key, Object

_HOOK, _HELM_HOOK = "argocd.argoproj.io/hook", "helm.sh/hook"
# The policies of Argo CD, and what Helm calls them.
_POLICIES = {
    "BeforeHookCreation": "before-hook-creation",
    "HookFailed": "hook-failed",
    "HookSucceeded": "hook-succeeded",
}
_NO_KEY = Key("", "", "", "")


def is_replaced(context: Context, manifest: Object) -> bool:
    """Whether Argo CD deletes the object and creates it again (gitops-engine, applyObject).

    `Replace=true` alone is `kubectl replace`, which the API server refuses as well, and with it
    these two kinds are only updated. `Force=true` counts only as an annotation: it is not an option
    of an Application (argo-cd/controller/sync.go).
    """
    if is_hook(manifest):
        return True
    own = sync_options(manifest)
    if "Force=true" not in own:
        return False
    if "Replace=true" in own | _of_application(context):
        return manifest.get("kind") not in ("CustomResourceDefinition", "Namespace")
    return not is_server_side(context, manifest)


def is_server_side(context: Context, manifest: Object) -> bool | None:
    """Whether server-side apply is used; None if there is neither Application nor HelmRelease."""
    options = sync_options(manifest)
    if "ServerSideApply=false" in options:
        return False
    if "ServerSideApply=true" in options | _of_application(context):
        return True
    if context.head.by_flux:
        return True  # helm-controller's default
    return False if context.head.facts.application else None


def keeps_live(context: Context, key: Key, path: tuple[str, ...]) -> bool:
    """Whether Argo CD applies the live value of a field instead of what was rendered.

    argo-cd/controller/sync.go, normalizeTargetResources: with `RespectIgnoreDifferences=true` the
    ignored fields are copied from the live object.
    """
    if "RespectIgnoreDifferences=true" not in _of_application(context):
        return False
    return any(
        path in pointers(rule) or f".{'.'.join(path)}" in fields.strings(rule, "jqPathExpressions")
        for rule in fields.entries(_application(context), "spec", "ignoreDifferences")
        if speaks_of(rule, key)
    )


def _of_application(context: Context) -> frozenset[str]:
    return frozenset(fields.strings(_application(context), "spec", "syncPolicy", "syncOptions"))


def _application(context: Context) -> Object | None:
    return context.head.objects.get(context.head.facts.application or _NO_KEY)


def is_gone(before: Object) -> bool:
    """Whether a hook was deleted when it succeeded, so that it no longer exists."""
    return "HookSucceeded" in _policies(before)


def is_hook(manifest: Object) -> bool:
    """Whether it is a hook that is deleted before it is created again."""
    return "BeforeHookCreation" in _policies(manifest)


def _policies(manifest: Object) -> set[str]:
    """When a hook is deleted, by both annotations (gitops-engine, DeletePolicies); else nothing."""
    annotations = fields.section(manifest, "metadata", "annotations")
    if _HOOK not in annotations and _HELM_HOOK not in annotations:
        return set()
    given = {
        part.strip()
        for hook in (_HOOK, _HELM_HOOK)
        for part in str(annotations.get(f"{hook}-delete-policy") or "").split(",")
    }
    return {name for name, helm in _POLICIES.items() if {name, helm} & given} or {
        "BeforeHookCreation"
    }
