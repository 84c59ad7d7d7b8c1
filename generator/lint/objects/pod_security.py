"""Pod Security Standards over pod templates, as the admission of Kubernetes 1.30 and later judges.

The controls and their allowed values are those of kubernetes.io/docs/concepts/security/
pod-security-standards; a newer cluster allows a few more sysctls and SELinux types, never fewer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import PodTemplate, Where, containers, pod_templates, rendered_only
from generator.kube.resource import Object

Level = Literal["privileged", "baseline", "restricted"]

BASELINE = Rule(
    "pod-security/baseline",
    Severity.ERROR,
    "A pod that the baseline level refuses",
    "A namespace that enforces the level does not admit the pod: the workload stays at zero.",
    "Pod Security Standards, baseline",
)
RESTRICTED = Rule(
    "pod-security/restricted",
    Severity.ERROR,
    "A pod that the restricted level refuses",
    "A namespace that enforces the level does not admit the pod: the workload stays at zero.",
    "Pod Security Standards, restricted",
)

_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_SELINUX = frozenset(
    {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)
_SYSCTLS = frozenset(
    {
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range"),
        *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
        *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
    }
)
_VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
        *("persistentVolumeClaim", "projected", "secret"),
    }
)
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One control that a pod fails; `container` is '' for the pod itself."""

    level: Level
    control: str
    container: str
    hint: str


Container = Mapping[str, Any]
Spec = Mapping[str, Any]


def problems(
    manifests: Iterable[Object], level: Level, *, where: Where = rendered_only
) -> Iterator[Problem]:
    """For each workload and failed control one problem that lists the containers."""
    for template in pod_templates(manifests):
        grouped: dict[tuple[Level, str, str], list[str]] = {}
        for item in violations(template.metadata, template.spec, level):
            grouped.setdefault((item.level, item.control, item.hint), []).append(item.container)
        for (found, control, hint), names in grouped.items():
            rule = BASELINE if found == "baseline" else RESTRICTED
            yield rule.problem(
                _message(template, control, names),
                path=where(template.owner),
                hint=hint,
            )


def violations(metadata: Mapping[str, Any], spec: Spec, level: Level) -> list[Violation]:
    """Every control of the level, and of the levels below, that the pod fails."""
    if level == "privileged":
        return []
    found = list(_baseline(metadata, spec))
    if level == "restricted":
        found += _restricted(spec)
    return found


def _message(template: PodTemplate, control: str, names: Iterable[str]) -> str:
    inside = sorted(name for name in names if name)
    return f"{template.title}: {control}" + (f" ({', '.join(inside)})" if inside else "")


def _baseline(metadata: Mapping[str, Any], spec: Spec) -> Iterator[Violation]:
    def fault(control: str, hint: str, container: str = "") -> Violation:
        return Violation("baseline", control, container, hint)

    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield fault(f"shares the node's {key.removeprefix('host')}", f"remove {key}")
    for volume in entries(spec, "volumes"):
        if "hostPath" in volume:
            yield fault("mounts a path of the node", "use a volume claim instead of hostPath")
    for item in entries(_context(spec).get("sysctls")):
        if item.get("name") not in _SYSCTLS:
            yield fault("sets a sysctl that is not on the safe list", "remove it")
    for key, value in section(metadata, "annotations").items():
        allowed = str(value) in ("", "runtime/default") or str(value).startswith("localhost/")
        if str(key).startswith(_APPARMOR) and not allowed:
            yield fault("switches AppArmor off", "remove the annotation")
    for name, context in _contexts(spec):
        for control, hint in _unsafe_context(context):
            yield fault(control, hint, name)
    for _, container in containers(spec):
        for control, hint in _unsafe_container(container):
            yield fault(control, hint, str(container.get("name")))


def _unsafe_context(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a security context of pod or container must not hold at the baseline level."""
    if section(context, "windowsOptions").get("hostProcess"):
        yield "runs as host process", "remove windowsOptions.hostProcess"
    if section(context, "seccompProfile").get("type") == "Unconfined":
        yield "switches seccomp off", "set seccompProfile.type: RuntimeDefault"
    profile = section(context, "appArmorProfile").get("type")
    if profile not in (None, "RuntimeDefault", "Localhost"):
        yield "switches AppArmor off", "set appArmorProfile.type: RuntimeDefault"
    labels = section(context, "seLinuxOptions")
    if str(labels.get("type") or "") not in _SELINUX or labels.get("user") or labels.get("role"):
        yield "sets its own SELinux options", "remove seLinuxOptions"


def _unsafe_container(container: Container) -> Iterator[tuple[str, str]]:
    context = _context(container)
    if context.get("privileged"):
        yield "runs privileged", "remove securityContext.privileged"
    if not set(_capabilities(context, "add")) <= _CAPABILITIES:
        yield "adds capabilities beyond the runtime's own", "remove them from capabilities.add"
    if context.get("procMount") not in (None, "Default"):
        yield "unmasks /proc", "remove procMount"
    if any(port.get("hostPort") for port in entries(container, "ports")):
        yield "takes a port of the node", "remove hostPort"


def _restricted(spec: Spec) -> Iterator[Violation]:
    windows = section(spec, "os").get("name") == "windows"
    for volume in entries(spec, "volumes"):
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUMES and "hostPath" not in kinds:
            yield _refused("uses a volume type that is not allowed", "", "use a volume claim")
    checks: list[Check] = [_not_root]
    checks += [] if windows else [_escalation, _drops, _seccomp]
    for check in checks:
        yield from check(spec)


Check = Callable[[Spec], Iterator[Violation]]


def _refused(control: str, container: str, hint: str) -> Violation:
    return Violation("restricted", control, container, hint)


def _not_root(spec: Spec) -> Iterator[Violation]:
    pod = _context(spec)
    if pod.get("runAsUser") == 0:
        yield _refused("runs as root", "", "set securityContext.runAsUser to another user than 0")
    for _, container in containers(spec):
        context, name = _context(container), str(container.get("name"))
        own = context.get("runAsNonRoot", pod.get("runAsNonRoot"))
        if own is not True:
            yield _refused("may run as root", name, "set runAsNonRoot: true")
        if context.get("runAsUser") == 0:
            yield _refused("runs as root", name, "set runAsUser to another user than 0")


def _escalation(spec: Spec) -> Iterator[Violation]:
    for _, container in containers(spec):
        if _context(container).get("allowPrivilegeEscalation") is not False:
            hint = "set allowPrivilegeEscalation: false"
            yield _refused("may gain privileges", str(container.get("name")), hint)


def _drops(spec: Spec) -> Iterator[Violation]:
    for _, container in containers(spec):
        context, name = _context(container), str(container.get("name"))
        if "ALL" not in _capabilities(context, "drop"):
            yield _refused("keeps capabilities", name, "set capabilities.drop: [ALL]")
        if not set(_capabilities(context, "add")) <= {"NET_BIND_SERVICE"}:
            yield _refused("adds capabilities", name, "remove them from capabilities.add")


def _seccomp(spec: Spec) -> Iterator[Violation]:
    allowed = ("RuntimeDefault", "Localhost")
    pod = section(_context(spec).get("seccompProfile")).get("type")
    for _, container in containers(spec):
        own = section(_context(container).get("seccompProfile")).get("type", pod)
        if own not in allowed and own != "Unconfined":
            hint = "set seccompProfile: {type: RuntimeDefault}"
            yield _refused("runs without seccomp profile", str(container.get("name")), hint)


def _context(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    return section(holder, "securityContext")


def _contexts(spec: Spec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", _context(spec)
    for _, container in containers(spec):
        yield str(container.get("name")), _context(container)


def _capabilities(context: Mapping[str, Any], key: str) -> list[str]:
    names = section(context, "capabilities").get(key)
    return [str(name) for name in names] if isinstance(names, list) else []
