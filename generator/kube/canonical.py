"""The canonical form of a pod template: defaults removed, quantities written in one way.

A change between two templates with the same canonical form replaces no pods. Sources:
kubernetes/pkg/apis/core/v1/defaults.go, and the canonical form of quantities in
apimachinery/pkg/api/resource. Fields that are not listed here stay unchanged, so two templates that
the API server stores alike may still differ; templates that it stores differently always do.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from generator.kube.quantity import quantity

_POD: dict[str, Any] = {
    "dnsPolicy": "ClusterFirst",
    "hostIPC": False,
    "hostNetwork": False,
    "hostPID": False,
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER: dict[str, Any] = {
    "resources": {},
    "stdin": False,
    "stdinOnce": False,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "tty": False,
}
# Mappings whose keys are people's own: an empty one is none, an empty text in it is a value.
_MAPS = frozenset(
    {
        *("annotations", "labels", "limits", "matchLabels", "nodeSelector", "overhead"),
        *("requests", "volumeAttributes"),
    }
)
_MEANT = frozenset({"localhostProfile", "storageClassName", "volumeAttributesClassName"})
"""Fields that the API server stores also when their text is empty."""
_PROBE = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
_OF_ENTRIES: dict[str, dict[str, Any]] = {
    "ports": {"hostPort": 0, "protocol": "TCP"},
    "volumeMounts": {"readOnly": False},
}
_SMALLEST_BINARY = 1024
"""Below it the API server writes an amount without a suffix."""
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_VOLUMES = {"configMap": 420, "secret": 420, "projected": 420, "downwardAPI": 420}

# Volumes whose `readOnly` is left out of what the API server stores where it is false.
_READ_ONLY = ("awsElasticBlockStore", "azureFile", "gcePersistentDisk", "persistentVolumeClaim")


def template(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the canonical form of a pod template; the argument is not modified."""
    made = stored(given)
    spec = made.get("spec")
    if not isinstance(spec, Mapping):
        return dict(made)
    pod = dict(spec)
    for field in ("containers", "initContainers", "ephemeralContainers"):
        pod |= {field: _each(pod[field], _container)} if field in pod else {}
    if "volumes" in pod:
        pod["volumes"] = _each(pod["volumes"], _volume)
    return {**made, "spec": _without(pod, _POD)}


def stored(value: Any) -> Any:
    """The same without empty fields, which the API server does not store (Go's `omitempty`)."""
    if isinstance(value, list):
        return [stored(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: item if name in _MAPS else stored(item)
        for name, item in value.items()
        if not _is_nothing(name, item)
    }


def _is_nothing(name: str, value: Any) -> bool:
    if isinstance(value, str):
        return not value and name not in _MEANT
    return value is None or value == [] or (name in _MAPS and value == {})


def amounts(given: Any) -> Any:
    """The quantities of `requests` or `limits` in canonical form."""
    if not isinstance(given, Mapping):
        return given
    return {name: amount(value) for name, value in given.items()}


def amount(value: Any) -> Any:
    """Convert a quantity: `1000m` to `1`, `4096Mi` to `4294967296`; other values stay the same."""
    number = quantity(value)
    return value if number is None else f"{number.normalize():f}"


def _written(value: Any) -> Any:
    """The same with its way of writing, which the API server keeps: 1Gi is not 1073741824.

    Revisions of StatefulSets and DaemonSets are compared as text (`history.EqualRevision`).
    """
    number, text = quantity(value), str(value)
    if number is None:
        return value
    if text.endswith("i") and abs(number) >= _SMALLEST_BINARY:
        return f"{amount(value)} in powers of 1024"
    is_exponent = text[-1:].isdigit() and "e" in text.lower() and isinstance(value, str)
    return f"{amount(value)} with an exponent" if is_exponent else amount(value)


def _amounts_written(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    return {name: _written(value) for name, value in given.items()}


def _each(items: Any, change: Any) -> Any:
    if not isinstance(items, list):
        return items
    return [change(item) if isinstance(item, Mapping) else item for item in items]


def _without(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in given.items()
        if not (name in defaults and _equal(value, defaults[name]))
    }


def _equal(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _container(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    resources = made.get("resources")
    if isinstance(resources, Mapping):
        made["resources"] = {
            field: _amounts_written(value)
            for field, value in resources.items()
            if value not in ({}, None)
        }
    made |= {name: _probe(made[name]) for name in _PROBES if isinstance(made.get(name), Mapping)}
    if "env" in made:
        made["env"] = _each(made["env"], _variable)
    for field, defaults in _OF_ENTRIES.items():
        if field in made:
            made[field] = _each(made[field], functools.partial(_without, defaults=defaults))
    if isinstance(made.get("lifecycle"), Mapping):
        hooks = made["lifecycle"].items()
        made["lifecycle"] = {k: _probe(v) if isinstance(v, Mapping) else v for k, v in hooks}
    policy = {"imagePullPolicy": _pull_policy(str(made.get("image") or ""))}
    return _without(made, {**_CONTAINER, **policy})


def _pull_policy(image: str) -> str:
    name, digest = image.partition("@")[::2]
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _probe(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of a number the API server takes 0 for its default."""
    made = _without(_without(given, {**_PROBE, "initialDelaySeconds": 0}), dict.fromkeys(_PROBE, 0))
    if isinstance(made.get("httpGet"), Mapping):
        made["httpGet"] = _without(made["httpGet"], {"path": "/", "scheme": "HTTP"})
    return made


def _variable(given: Mapping[str, Any]) -> dict[str, Any]:
    source = given.get("valueFrom")
    if not isinstance(source, Mapping):
        return dict(given)
    made = dict(source)
    if isinstance(made.get("fieldRef"), Mapping):
        made["fieldRef"] = _without(made["fieldRef"], {"apiVersion": "v1"})
    reference = made.get("resourceFieldRef")
    if isinstance(reference, Mapping) and "divisor" in reference:
        made["resourceFieldRef"] = {**reference, "divisor": _written(reference["divisor"])}
    return {**given, "valueFrom": made}


def _volume(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    for field, mode in _VOLUMES.items():
        if isinstance(made.get(field), Mapping):
            made[field] = _without(made[field], {"defaultMode": mode})
    for field in _READ_ONLY:
        if isinstance(made.get(field), Mapping):
            made[field] = _without(made[field], {"readOnly": False})
    if isinstance(made.get("projected"), Mapping) and "sources" in made["projected"]:
        sources = _each(made["projected"]["sources"], _projected)
        made["projected"] = {**made["projected"], "sources": sources}
    empty = made.get("emptyDir")
    if isinstance(empty, Mapping) and "sizeLimit" in empty:
        made["emptyDir"] = {**empty, "sizeLimit": _written(empty["sizeLimit"])}
    return made


def _projected(given: Mapping[str, Any]) -> dict[str, Any]:
    token = given.get("serviceAccountToken")
    if not isinstance(token, Mapping):
        return dict(given)
    return {**given, "serviceAccountToken": _without(token, {"expirationSeconds": 3600})}
