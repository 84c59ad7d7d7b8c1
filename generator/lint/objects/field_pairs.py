"""Fields that the API server refuses beside each other: each check is of the mapping they are in.

Source: kubernetes/pkg/apis/*/validation, 1.34.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.kube import fields, selectors
from generator.lint.objects.field_checks import NAME, qualified, resource

_RBAC = "rbac.authorization.k8s.io"
_LARGEST = 1 << 20
_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_METRICS = ("containerResource", "external", "object", "pods", "resource")


def selects_its_pods(value: Any) -> str:
    """The spec of a workload, whose selector has to match its own template."""
    selector = fields.at(value, "selector")
    if not isinstance(selector, Mapping):
        return ""
    if not any(selector.get(part) for part in ("matchLabels", "matchExpressions")):
        return "has an empty selector"
    labels = fields.section(value, "template", "metadata", "labels")
    return (
        "" if selectors.matches(selector, labels) else "has a selector that its pods do not match"
    )


def deadline(value: Any) -> str:
    """A roll-out may not fail before a pod can count as available."""
    ready = fields.count(value, "minReadySeconds")
    given = fields.integer(value, "progressDeadlineSeconds")
    limit = 600 if given is None else given
    return "" if limit > ready else f"has progressDeadlineSeconds {limit}, not above {ready}"


def one_surge(value: Any) -> str:
    """Of a DaemonSet: new pods before the old ones stop, or after; OnDelete reads neither."""
    rolling = fields.at(value, "rollingUpdate")
    if not isinstance(rolling, Mapping) or fields.text(value, "type") == "OnDelete":
        return ""
    given = [rolling.get(name) for name in ("maxSurge", "maxUnavailable")]
    surge, gone = (str(item) not in ("0", "0%") for item in (given[0] or 0, _or(given[1], 1)))
    if surge and gone:
        return "has both maxSurge and maxUnavailable"
    return "" if surge or gone else "has neither maxSurge nor maxUnavailable"


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def ends(value: Any) -> str:
    """A pod of a Job says what follows its end."""
    is_open = fields.entries(value, "containers") and not fields.text(value, "restartPolicy")
    return "needs restartPolicy OnFailure or Never" if is_open else ""


def failing_containers(value: Any) -> str:
    """Containers that `podFailurePolicy` names are those of the pods."""
    pod = fields.section(value, "template", "spec")
    names = {
        fields.text(item, "name")
        for part in ("initContainers", "containers")
        for item in fields.entries(pod, part)
    }
    for rule in fields.entries(value, "podFailurePolicy", "rules"):
        name = fields.text(rule, "onExitCodes", "containerName")
        if name and name not in names:
            return f'names container "{name[:63]}" in podFailurePolicy, which its pods do not have'
    return ""


def indexed_of_cron(value: Any) -> str:
    """Fields of a CronJob's Job that need completionMode Indexed, or one another."""
    if not isinstance(value, Mapping):
        return ""
    if value.get("maxFailedIndexes") is not None and value.get("backoffLimitPerIndex") is None:
        return "has maxFailedIndexes without backoffLimitPerIndex"
    if value.get("manualSelector") is True and not value.get("selector"):
        return "has manualSelector without selector"
    if value.get("completionMode") == "Indexed":
        count = fields.integer(value, "completions")
        failing = fields.count(value, "maxFailedIndexes")
        if count is None:
            return "is Indexed without completions"
        return f"has maxFailedIndexes {failing}, above completions" if failing > count else ""
    for one in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
        if value.get(one) is not None:
            return f"has {one} without completionMode Indexed"
    return ""


def indexed(value: Any) -> str:
    """The same of a Job, which has one completion where neither of two counts is given."""
    if isinstance(value, Mapping) and value.get("parallelism") is None:
        one = {} if value.get("completions") is not None else {"completions": 1}
        return indexed_of_cron({**value, **one})
    return indexed_of_cron(value)


def one_port(value: Any) -> str:
    """The port of a Service that an Ingress leads to."""
    both = [bool(fields.at(value, one)) for one in ("name", "number")]
    return "" if sum(both) == 1 else "needs the port by name or by number"


def service(value: Any) -> str:
    """The port of a health check, and the families of its addresses."""
    if not isinstance(value, Mapping):
        return ""
    local = value.get("type") == "LoadBalancer" and value.get("externalTrafficPolicy") == "Local"
    if value.get("healthCheckNodePort") and not local:
        return "has healthCheckNodePort without type LoadBalancer and externalTrafficPolicy Local"
    if len(fields.strings(value, "ipFamilies")) > 1 and value.get("ipFamilyPolicy") in (
        "SingleStack",
        None,
    ):
        return "has two ipFamilies with ipFamilyPolicy SingleStack"
    if fields.strings(value, "clusterIPs") and not value.get("clusterIP"):
        return "has clusterIPs without clusterIP"
    return ""


def metric(value: Any) -> str:
    """One source, which the type names."""
    given = [one for one in _METRICS if fields.at(value, one) is not None]
    kind = fields.text(value, "type")
    wanted = kind[:1].lower() + kind[1:]
    target = fields.section(value, wanted, "target")
    if kind == "External" and None not in (target.get("value"), target.get("averageValue")):
        return "has both external.target.value and external.target.averageValue"
    return (
        "" if given == [wanted] else f"of type {kind[:32]} needs {wanted[:32]} and no other source"
    )


def metric_source(value: Any) -> str:
    """What a metric is held to: a share of the request or an amount."""
    if not isinstance(value, Mapping):
        return ""
    target = fields.section(value, "target")
    given = [n for n in ("averageUtilization", "averageValue") if target.get(n) is not None]
    is_resource = "name" in value
    if is_resource and len(given) != 1:
        return "needs one of target.averageUtilization and target.averageValue"
    wanted = ("averageValue",) if "describedObject" not in value and not is_resource else ()
    has_value = target.get("value") is not None
    if not is_resource and not has_value and "averageValue" not in given:
        return f"needs target.value or target.{wanted[0] if wanted else 'averageValue'}"
    return ""


def scaled(value: Any) -> str:
    """The workload that an autoscaler scales; one of the core group has no scale."""
    version, kind = fields.text(value, "apiVersion"), fields.text(value, "kind")
    is_core = "/" not in version and kind != "ReplicationController"
    return "needs an apiVersion with its group" if is_core else ""


def scope(value: Any) -> str:
    """A scope of a quota: some take values, the others none."""
    operator, given = fields.text(value, "operator"), fields.strings(value, "values")
    if operator in ("In", "NotIn") and not given:
        return f"with {operator} needs values"
    return f"with {operator} takes no values" if operator not in ("In", "NotIn") and given else ""


def limits(value: Any) -> str:
    """One row of a LimitRange: its type and the resources that it speaks of."""
    kind = fields.text(value, "type")
    if kind not in _LIMIT_TYPES and ("/" not in kind or qualified(kind)):
        return f"has the type {kind[:32]!r}, not one of {', '.join(_LIMIT_TYPES)}"
    parts = [n for n in ("default", "defaultRequest") if kind == "Pod" and fields.at(value, n)]
    if parts:
        return f"of type Pod has {parts[0]}"
    for part in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio"):
        for one in map(str, fields.section(value, part)):
            if resource(one) or (kind == "Container" and one == "storage"):
                return f"has {part}.{one[:64]}, which is not a resource"
    bounded = fields.section(value, "min") or fields.section(value, "max")
    is_open = kind == "PersistentVolumeClaim" and "storage" not in bounded
    return "of type PersistentVolumeClaim needs min.storage or max.storage" if is_open else ""


def size(value: Any) -> str:
    """ConfigMap and Secret: at most 1 MiB, and no key in two of the parts."""
    parts = [fields.section(value, part) for part in ("data", "binaryData", "stringData")]
    if parts[0].keys() & parts[1].keys():
        return "has a key in data and in binaryData"
    of_secret = fields.text(value, "kind") == "Secret"
    plain, coded = (parts[2:], parts[:1]) if of_secret else (parts[:1], parts[1:2])
    length = sum(len(str(item).encode()) for part in plain for item in part.values())
    length += sum(len(str(item)) * 3 // 4 - 2 for part in coded for item in part.values())
    return "holds more than 1 MiB" if length > _LARGEST else ""


def rights(value: Any) -> str:
    """A rule is of resources or of addresses."""
    groups, kinds, paths = (
        fields.strings(value, part) for part in ("apiGroups", "resources", "nonResourceURLs")
    )
    if paths:
        mixed = groups or kinds or fields.strings(value, "resourceNames")
        return "has nonResourceURLs beside resources" if mixed else ""
    missing = [n for n, part in (("apiGroups", groups), ("resources", kinds)) if not part]
    return f"lacks {' and '.join(missing)}" if missing else ""


def subject(value: Any) -> str:
    """Who gets the rights: an account of the cluster, or a user or group from outside."""
    kind, group = fields.text(value, "kind"), fields.text(value, "apiGroup")
    if group not in (("",) if kind == "ServiceAccount" else ("", _RBAC)):
        return f"has the apiGroup {group[:48]!r}"
    fault = NAME(fields.text(value, "name")) if kind == "ServiceAccount" else ""
    return f"has a name that {fault}" if fault else ""


def subject_in_namespace(value: Any) -> str:
    """An account that rights of the whole cluster are for has a namespace."""
    alone = fields.text(value, "kind") == "ServiceAccount" and not fields.text(value, "namespace")
    return "needs a namespace" if alone else ""
