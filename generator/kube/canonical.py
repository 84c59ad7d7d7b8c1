"""The canonical form of a pod template: defaults removed, quantities written in one way.

A change between two templates with the same canonical form replaces no pods. Sources:
kubernetes/pkg/apis/core/v1/defaults.go, and the canonical form of quantities in
apimachinery/pkg/api/resource. Fields that are not listed here stay unchanged, so two templates that
the API server stores alike may still differ; templates that it stores differently always do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.kube.quantity import quantity

_POD: dict[str, Any] = {
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "hostIPC": False,
    "hostNetwork": False,
    "hostPID": False,
    "imagePullSecrets": [],
    "initContainers": [],
    "nodeSelector": {},
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
    "tolerations": [],
    "topologySpreadConstraints": [],
    "volumes": [],
}
_CONTAINER: dict[str, Any] = {
    "args": [],
    "command": [],
    "env": [],
    "envFrom": [],
    "ports": [],
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "volumeMounts": [],
}
_PROBE = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_VOLUMES = {"configMap": 420, "secret": 420, "projected": 420, "downwardAPI": 420}


def template(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the canonical form of a pod template; the argument is not modified."""
    spec = given.get("spec")
    if not isinstance(spec, Mapping):
        return dict(given)
    pod = dict(spec)
    for field in ("containers", "initContainers", "ephemeralContainers"):
        pod |= {field: _each(pod[field], _container)} if field in pod else {}
    if "volumes" in pod:
        pod["volumes"] = _each(pod["volumes"], _volume)
    return {**given, "spec": _without(pod, _POD)}


def amounts(given: Any) -> Any:
    """The quantities of `requests` or `limits` in canonical form."""
    if not isinstance(given, Mapping):
        return given
    return {name: amount(value) for name, value in given.items()}


def amount(value: Any) -> Any:
    """Convert a quantity: `1000m` to `1`, `4096Mi` to `4294967296`; other values stay the same."""
    number = quantity(value)
    return value if number is None else f"{number.normalize():f}"


def _each(items: Any, change: Any) -> Any:
    if not isinstance(items, list):
        return items
    return [change(item) if isinstance(item, Mapping) else item for item in items]


def _without(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in given.items()
        if not (name in defaults and (value is None or _equal(value, defaults[name])))
    }


def _equal(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _container(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    resources = made.get("resources")
    if isinstance(resources, Mapping):
        made["resources"] = {
            field: amounts(value) for field, value in resources.items() if value not in ({}, None)
        }
    made |= {name: _probe(made[name]) for name in _PROBES if isinstance(made.get(name), Mapping)}
    if "env" in made:
        made["env"] = _each(made["env"], _variable)
    if "ports" in made:
        made["ports"] = _each(made["ports"], lambda port: _without(port, {"protocol": "TCP"}))
    policy = {"imagePullPolicy": _pull_policy(str(made.get("image") or ""))}
    return _without(made, {**_CONTAINER, **policy})


def _pull_policy(image: str) -> str:
    name, digest = image.partition("@")[::2]
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _probe(given: Mapping[str, Any]) -> dict[str, Any]:
    made = _without(given, {**_PROBE, "initialDelaySeconds": 0})
    if isinstance(made.get("httpGet"), Mapping):
        made["httpGet"] = _without(made["httpGet"], {"scheme": "HTTP"})
    return made


def _variable(given: Mapping[str, Any]) -> dict[str, Any]:
    source = given.get("valueFrom")
    if not isinstance(source, Mapping):
        return _without(given, {"value": ""})
    made = dict(source)
    if isinstance(made.get("fieldRef"), Mapping):
        made["fieldRef"] = _without(made["fieldRef"], {"apiVersion": "v1"})
    reference = made.get("resourceFieldRef")
    if isinstance(reference, Mapping) and "divisor" in reference:
        made["resourceFieldRef"] = {**reference, "divisor": amount(reference["divisor"])}
    return {**given, "valueFrom": made}


def _volume(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    for field, mode in _VOLUMES.items():
        if isinstance(made.get(field), Mapping):
            made[field] = _without(made[field], {"defaultMode": mode})
    empty = made.get("emptyDir")
    if isinstance(empty, Mapping) and "sizeLimit" in empty:
        made["emptyDir"] = {**empty, "sizeLimit": amount(empty["sizeLimit"])}
    return made
