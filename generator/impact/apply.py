"""How Argo CD applies an object: by which means, and whether it deletes it first."""

from __future__ import annotations

from generator.impact.context import Context
from generator.kube import fields
from generator.kube.pruning import sync_options
from generator.kube.resource import Key, Object

_HOOK = "argocd.argoproj.io/hook"
_HOOK_POLICY = "argocd.argoproj.io/hook-delete-policy"
_HELM_HOOK_POLICY = "helm.sh/hook-delete-policy"
_NO_KEY = Key("", "", "", "")


def is_replaced(context: Context, manifest: Object) -> bool:
    """Whether Argo CD deletes the object and creates it again (gitops-engine, applyObject).

    `Replace=true` alone is `kubectl replace`, which the API server refuses as well; `Force=true`
    counts beside it, or under client-side apply. A hook is deleted before it is created again.
    """
    options = _options(context, manifest)
    if options.get("Force") == "true":
        return options.get("Replace") == "true" or not is_server_side(context, manifest)
    return is_hook(manifest)


def _options(context: Context, manifest: Object) -> dict[str, str]:
    """Sync options of the Application, and of the object, which win."""
    own = context.head.objects.get(context.head.facts.application or _NO_KEY)
    given = fields.at(own, "spec", "syncPolicy", "syncOptions")
    every = [*(map(str, given) if isinstance(given, list) else ()), *sync_options(manifest)]
    return {name: value for name, _, value in (option.partition("=") for option in every)}


def is_server_side(context: Context, manifest: Object) -> bool | None:
    """Whether server-side apply is used; None where no Application tells."""
    option = _options(context, manifest).get("ServerSideApply")
    if option is not None:
        return option == "true"
    return False if context.head.facts.application else None


def is_gone(before: Object) -> bool:
    """A hook that is deleted once it succeeded is no existing object any more."""
    annotations = fields.section(before, "metadata", "annotations")
    policy = str(annotations.get(_HOOK_POLICY) or annotations.get(_HELM_HOOK_POLICY) or "")
    is_hook = _HOOK in annotations or "helm.sh/hook" in annotations
    return is_hook and bool({"HookSucceeded", "hook-succeeded"} & _parts(policy))


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}


def is_hook(manifest: Object) -> bool:
    """Argo's default for a hook without a policy is BeforeHookCreation as well."""
    annotations = fields.section(manifest, "metadata", "annotations")
    policy = str(annotations.get(_HOOK_POLICY) or "BeforeHookCreation")
    if _HOOK in annotations:
        return "BeforeHookCreation" in policy
    policy = str(annotations.get(_HELM_HOOK_POLICY) or "before-hook-creation")
    return "helm.sh/hook" in annotations and "before-hook-creation" in policy
