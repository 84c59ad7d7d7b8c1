"""Pods as OpenShift's restricted-v2 SCC judges them, which every ServiceAccount may use.

Fields and values are those of docs.openshift.com, Managing security context constraints. What a pod
leaves open (user, fsGroup, capabilities, seccomp, privilege escalation) OpenShift fills in, so that
only what a pod asks for itself is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section, strings, text
from generator.kube.pods import PodTemplate, Where, containers, pod_templates, rendered_only
from generator.kube.resource import Object

RESTRICTED_V2 = Rule(
    "openshift/restricted-v2",
    Severity.ERROR,
    "A pod that OpenShift's restricted-v2 refuses",
    "The pod is not created unless its ServiceAccount may use another SCC: the workload stays at "
    "zero.",
    "OpenShift, Managing security context constraints",
    also=((Severity.WARNING, "a fixed id that may be in the namespace's range"),),
)
_FIRST_ID = 1_000_000_000
"""Where the ranges begin that OpenShift gives namespaces, unless a cluster is configured so."""
_VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
        *("projected", "secret"),
    }
)
_ROLE = "system:openshift:scc:"
Fault = tuple[str, str, Severity]
"""What is wrong, what to do, and how sure that is."""


def problems(manifests: Iterable[Object], *, where: Where = rendered_only) -> Iterator[Problem]:
    """For each workload and fault one problem that lists the containers.

    Pods whose ServiceAccount a rendered binding lets use another SCC are left out.
    """
    listed = tuple(manifests)
    elsewhere = set(_bound(listed))
    for template in pod_templates(listed):
        if (text(template.spec, "serviceAccountName") or "default") in elsewhere:
            continue
        found: dict[Fault, list[str]] = {}
        for name, fault in _faults(template):
            found.setdefault(fault, []).append(name)
        for (words, hint, severity), names in found.items():
            inside = ", ".join(sorted(filter(None, names)))
            yield RESTRICTED_V2.problem(
                f"{template.title}: {words}" + (f" ({inside})" if inside else ""),
                path=where(template.owner),
                hint=hint,
                severity=severity,
            )


def _bound(manifests: Iterable[Object]) -> Iterator[str]:
    """ServiceAccounts with the role of another SCC."""
    for item in manifests:
        role = text(item, "roleRef", "name")
        if role.startswith(_ROLE) and role.removeprefix(_ROLE) != "restricted-v2":
            yield from (text(subject, "name") for subject in entries(item, "subjects"))


def _faults(template: PodTemplate) -> Iterator[tuple[str, Fault]]:
    spec = template.spec
    yield from (("", fault) for fault in _of_pod(spec))
    contexts = [("", section(spec, "securityContext"))]
    for _, container in containers(spec):
        name = text(container, "name")
        contexts.append((name, section(container, "securityContext")))
        if any(port.get("hostPort") for port in entries(container, "ports")):
            yield name, _refused("takes a port of the node", "remove hostPort")
    for name, context in contexts:
        yield from ((name, fault) for fault in _of_context(context))


def _of_pod(spec: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield _refused(f"shares the node's {key.removeprefix('host')}", f"remove {key}")
    for volume in entries(spec, "volumes"):
        kinds = sorted(set(volume) - {"name"} - _VOLUMES)
        if kinds:
            yield _refused(f"uses a volume of type {kinds[0]}", "use a volume claim")


def _of_context(context: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("runAsUser", "fsGroup"):
        if context.get(key) is not None:
            yield _fixed(key, context[key])
    if context.get("privileged"):
        yield _refused("runs privileged", "remove privileged")
    if context.get("allowPrivilegeEscalation"):
        yield _refused("may gain privileges", "set allowPrivilegeEscalation: false")
    if set(strings(context, "capabilities", "add")) - {"NET_BIND_SERVICE"}:
        yield _refused("adds capabilities", "remove them from capabilities.add")
    profile = section(context, "seccompProfile").get("type")
    if profile not in (None, "RuntimeDefault"):
        yield _refused(f"uses the seccomp profile {profile}", "use RuntimeDefault")
    if section(context, "seLinuxOptions"):
        yield _refused("sets SELinux options", "remove seLinuxOptions: OpenShift assigns them")


def _refused(words: str, hint: str) -> Fault:
    return words, hint, Severity.ERROR


def _fixed(key: str, value: Any) -> Fault:
    """A user or group by number: only those of the namespace's range are taken."""
    hint = f"leave {key} to OpenShift: security.openshift does for Airflow's own pods"
    if isinstance(value, int) and value < _FIRST_ID:
        return f"{key} {value} is outside of the namespace's range", hint, Severity.ERROR
    words = f"{key} is {value}, and which range OpenShift gave the namespace was not read"
    return words, hint, Severity.WARNING
