"""Fields of a pod that the API server refuses beside each other: checks of what they are in.

Source: kubernetes/pkg/apis/core/validation/validation.go, 1.34.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.kube import fields
from generator.kube.quantity import quantity
from generator.lint.objects.field_checks import NAME, Check

_DIVISORS = {
    "cpu": ("1m", "1"),
    "memory": ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"),
}


def profile(value: Any) -> str:
    """Seccomp and AppArmor: a file of the node for Localhost alone."""
    if not isinstance(value, Mapping):
        return ""
    has_file = value.get("localhostProfile") is not None
    if value.get("type") == "Localhost":
        return "" if has_file else "needs localhostProfile"
    return "has localhostProfile without type Localhost" if has_file else ""


def privileges(value: Any) -> str:
    """A container that is privileged cannot be denied more privileges."""
    if not isinstance(value, Mapping) or value.get("allowPrivilegeEscalation") is not False:
        return ""
    if value.get("privileged") is True:
        return "has privileged beside allowPrivilegeEscalation: false"
    added = fields.strings(value, "capabilities", "add")
    return (
        "adds CAP_SYS_ADMIN beside allowPrivilegeEscalation: false"
        if ("CAP_SYS_ADMIN" in added)
        else ""
    )


def read_only(value: Any) -> str:
    """A mount that is read-only with all that is mounted below it."""
    if not isinstance(value, Mapping) or value.get("recursiveReadOnly") in (None, "Disabled"):
        return ""
    return "" if value.get("readOnly") is True else "has recursiveReadOnly without readOnly"


def divisor(value: Any) -> str:
    """A resource as a number of units that fit it."""
    given = fields.at(value, "divisor")
    number = quantity(given)
    if given is not None and number is None:
        return "has a divisor that is not a quantity"
    if given is None or number == 0:
        return ""
    kind = "cpu" if fields.text(value, "resource").endswith(".cpu") else "memory"
    allowed = _DIVISORS[kind]
    return "" if number in map(quantity, allowed) else f"has a divisor not of {', '.join(allowed)}"


def one_value(value: Any) -> str:
    """A requirement on a field of a node."""
    return "" if len(fields.strings(value, "values")) == 1 else "needs one entry in values"


def needs_selector(*names: str) -> Check:
    """These lists of labels narrow a selector, so there has to be one."""

    def check(value: Any) -> str:
        given = [name for name in names if fields.at(value, name)]
        is_alone = given and fields.at(value, "labelSelector") is None
        return f"has {given[0]} without labelSelector" if is_alone else ""

    return check


def pod(value: Any) -> str:
    """What of a pod's own fields and containers belongs together."""
    if not isinstance(value, Mapping):
        return ""
    claims = {fields.text(item, "name") for item in fields.entries(value, "resourceClaims")}
    grace = fields.integer(value, "terminationGracePeriodSeconds")
    for item in (*fields.entries(value, "containers"), *fields.entries(value, "initContainers")):
        for claim in fields.entries(item, "resources", "claims"):
            if fields.text(claim, "name") not in claims:
                return f"has no resourceClaims entry {fields.text(claim, 'name')[:64]!r}"
        for part in ("preStop", "postStart"):
            seconds = fields.integer(item, "lifecycle", part, "sleep", "seconds")
            if seconds is not None and not 0 <= seconds <= (30 if grace is None else grace):
                return f"has a {part} sleep of {seconds} s, longer than its pods have to stop"
    return _of_first(value) or _of_node(value)


def _of_first(value: Mapping[str, Any]) -> str:
    """Containers that run before the others: to their end, or beside them with Always."""
    for item in fields.entries(value, "initContainers"):
        # Never and OnFailure are taken since 1.35, and before with ContainerRestartRules.
        if item.get("restartPolicy") not in (None, "Always", "Never", "OnFailure"):
            return "has an initContainer whose restartPolicy is not Always, Never or OnFailure"
        for part in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if item.get(part) is not None and item.get("restartPolicy") is None:
                return f"has an initContainer with {part} and without restartPolicy Always"
    return ""


def _of_node(value: Mapping[str, Any]) -> str:
    context = fields.section(value, "securityContext")
    names = [fields.text(item, "name") for item in fields.entries(context, "sysctls")]
    if value.get("hostNetwork") is True and any(item.startswith("net.") for item in names):
        return "has sysctls of the network beside hostNetwork"
    for port in (
        p for c in fields.entries(value, "containers") for p in fields.entries(c, "ports")
    ):
        other = fields.count(port, "hostPort") not in (0, fields.count(port, "containerPort"))
        if value.get("hostNetwork") is True and other:
            return "has a hostPort that differs from its containerPort beside hostNetwork"
    if fields.text(value, "os", "name") == "linux" and context.get("windowsOptions") is not None:
        return "has windowsOptions beside os linux"
    account = fields.text(value, "serviceAccount")
    if not value.get("serviceAccountName") and account and (fault := NAME(account)):
        return f"has a serviceAccount that {fault}"
    nameless = not fields.strings(value, "dnsConfig", "nameservers")
    if value.get("dnsPolicy") == "None" and nameless:
        return "has dnsPolicy None without nameservers in dnsConfig"
    return ""
