"""Checks over all rendered objects together: what each schema alone cannot see."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule, rule_of
from generator.kube.fields import entries, section
from generator.kube.pods import containers, title_of
from generator.kube.resource import CLUSTER_SCOPED, Key, Object, key_of
from generator.lint.objects import api_server
from generator.lint.objects.context import Context, RenderedInput
from generator.lint.objects.references import reference_problems
from generator.lint.objects.selectors import wiring_problems

DUPLICATE = Rule(
    "rendered/duplicate",
    Severity.ERROR,
    "One object twice",
    "Argo CD warns and applies one of the two; which one is not defined.",
)
NAMESPACE = Rule(
    "rendered/namespace",
    Severity.ERROR,
    "An object in another namespace",
    "The AppProject refuses it, or it collides with another team's.",
)
HOOK = Rule(
    "rendered/helm-hook",
    Severity.ERROR,
    "A Helm hook under Argo CD",
    "Argo CD runs it at every sync, deletes it before, and never compares or prunes it.",
    "Argo CD documentation, Helm hooks",
)
PLAIN_SECRET = Rule(
    "rendered/plain-secret",
    Severity.ERROR,
    "A plain Secret in the render",
    "Its content is in git, or is generated again at every render.",
    tiers=(("development", Severity.WARNING),),
)
NO_RESOURCES = Rule(
    "rendered/no-resources",
    Severity.WARNING,
    "Containers without resources",
    "They are packed anywhere and killed first; a quota on the namespace refuses them.",
    tiers=(("development", None),),
)
ACCOUNT = Rule(
    "rendered/account-missing",
    Severity.WARNING,
    "A ServiceAccount that is not rendered",
    "Pods are not created until it exists.",
)

__all__ = ["Context", "problems"]

_HELM_HOOK = "helm.sh/hook"
_ARGO_HOOK = "argocd.argoproj.io/hook"


def problems(manifests: Iterable[Object], context: Context) -> Iterator[Problem]:
    """Everything that is wrong among the objects of one environment, weighed for its tier."""
    rendered = RenderedInput(tuple(manifests), context)
    for problem in _all(rendered):
        severity = rule_of(problem).severity_in(context.tier)
        if severity is not None:
            yield dataclasses.replace(problem, severity=severity)
    yield from api_server.problems(rendered)


def _all(rendered: RenderedInput) -> Iterator[Problem]:
    yield from _duplicates(rendered)
    for manifest in rendered.manifests:
        yield from _namespace(rendered, manifest)
        yield from _hook(rendered, manifest)
        yield from _plain_secret(rendered, manifest)
    yield from _resources(rendered)
    yield from _accounts(rendered)
    yield from reference_problems(rendered)
    yield from wiring_problems(rendered)


def _duplicates(rendered: RenderedInput) -> Iterator[Problem]:
    seen: set[Key] = set()
    for manifest in rendered.manifests:
        key = key_of(manifest, rendered.namespace)
        # With generateName each apply makes another object.
        if "name" in section(manifest, "metadata") and key in seen:
            yield rendered.problem(
                DUPLICATE, manifest, f"{key} appears twice", "give one of them another name"
            )
        seen.add(key)


def _namespace(rendered: RenderedInput, manifest: Object) -> Iterator[Problem]:
    kind = str(manifest.get("kind"))
    own = rendered.namespace_of(manifest)
    if kind not in CLUSTER_SCOPED and own not in rendered.namespaces:
        yield rendered.problem(
            NAMESPACE,
            manifest,
            f"{title_of(manifest)} is not in {rendered.namespace}",
            "remove metadata.namespace, or declare the namespace",
        )


def _hook(rendered: RenderedInput, manifest: Object) -> Iterator[Problem]:
    annotations = section(manifest, "metadata", "annotations")
    test = str(annotations.get(_HELM_HOOK, "")).startswith("test")
    if rendered.context.engine != "argocd" or _HELM_HOOK not in annotations or test:
        return
    if _ARGO_HOOK not in annotations:
        yield rendered.problem(
            HOOK,
            manifest,
            f"{title_of(manifest)} is a Helm hook: Argo CD deletes and creates it at every sync",
            "set useHelmHooks: false where the chart has it, or give the Secret by name",
        )


def _plain_secret(rendered: RenderedInput, manifest: Object) -> Iterator[Problem]:
    if manifest.get("kind") != "Secret":
        return
    token = str(manifest.get("type")) == "kubernetes.io/service-account-token"
    if not token and (manifest.get("data") or manifest.get("stringData")):
        yield rendered.problem(
            PLAIN_SECRET,
            manifest,
            f"{title_of(manifest)} is rendered with its content: it is in git or changes at "
            f"every render",
            "give it by name, from a SealedSecret or ExternalSecret",
        )


def _resources(rendered: RenderedInput) -> Iterator[Problem]:
    for template in rendered.templates:
        bare = [
            str(container.get("name"))
            for _, container in containers(template.spec)
            if not section(container, "resources").get("requests")
        ]
        if bare:
            yield rendered.problem(
                NO_RESOURCES,
                template.owner,
                f"{template.title}: no resource requests for {', '.join(sorted(bare))}",
                "set requests and limits.memory",
            )


def _accounts(rendered: RenderedInput) -> Iterator[Problem]:
    made = {
        (rendered.namespace_of(item), str(section(item, "metadata").get("name")))
        for item in rendered.of("ServiceAccount")
    }
    for template in rendered.templates:
        name = template.spec.get("serviceAccountName")
        place = template.namespace or rendered.namespace
        if isinstance(name, str) and name != "default" and (place, name) not in made:
            yield rendered.problem(
                ACCOUNT,
                template.owner,
                f"{template.title}: its ServiceAccount {name} is not rendered",
                "set serviceAccount.create: true, or make sure that it exists",
            )
    for binding in rendered.of("RoleBinding", "ClusterRoleBinding"):
        yield from _subjects(rendered, binding, made)


def _subjects(
    rendered: RenderedInput, binding: Object, made: set[tuple[str, str]]
) -> Iterator[Problem]:
    for subject in entries(binding, "subjects"):
        place = str(subject.get("namespace") or rendered.namespace_of(binding))
        name = str(subject.get("name"))
        if subject.get("kind") != "ServiceAccount" or place not in rendered.namespaces:
            continue
        if name != "default" and (place, name) not in made:
            yield rendered.problem(
                ACCOUNT,
                binding,
                f"{title_of(binding)} gives rights to {name}, a ServiceAccount that does not exist",
                "check the account's name in the values",
            )
