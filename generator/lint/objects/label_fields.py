"""Labels, and what selects by labels, as the API server takes them.

Source: kubernetes/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
(`ValidateLabelSelector`) and pkg/apis/core/validation (`ValidateNodeSelectorRequirement`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube.fields import entries, section, strings, text
from generator.kube.resource import Object

_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*")
_NAME = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE = re.compile(r"(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_KINDS = frozenset(
    {
        *("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"),
        *("NetworkPolicy", "PodDisruptionBudget", "PersistentVolumeClaim"),
    }
)
_SETS, _EXISTENCE = ("In", "NotIn"), ("Exists", "DoesNotExist")
_BOUNDS = ("Gt", "Lt")
_DEEPEST = 12


def is_key(key: str) -> bool:
    """Whether it can be the key of a label or annotation: a name, or `prefix/name`."""
    prefix, slash, name = key.rpartition("/")
    if slash and not SUBDOMAIN.fullmatch(prefix.lower()):
        return False
    return _NAME.fullmatch(name) is not None


def is_value(value: str) -> bool:
    """Whether it can be the value of a label."""
    return _VALUE.fullmatch(value) is not None


def selector_faults(manifest: Object) -> Iterator[str]:
    """What is wrong with the selectors of an object that Kubernetes itself defines."""
    if manifest.get("kind") == "Service":
        yield from _labels("selector", section(manifest, "spec", "selector"))
    elif manifest.get("kind") in _KINDS:
        yield from _walk(manifest.get("spec"), "spec", of_nodes=False, depth=0)


def node_faults(pod: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with `nodeSelector` of a pod's spec."""
    yield from _labels("nodeSelector", section(pod, "nodeSelector"))


def _walk(value: Any, field: str, *, of_nodes: bool, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, field, of_nodes=of_nodes, depth=depth + 1)
    elif isinstance(value, Mapping):
        yield from _labels(f"{field}.matchLabels", section(value, "matchLabels"))
        for row in entries(value, "matchExpressions"):
            yield from _expression(field, row, of_nodes=of_nodes)
        for name, item in value.items():
            inner = of_nodes or name == "nodeAffinity"
            yield from _walk(item, str(name), of_nodes=inner, depth=depth + 1)


def _labels(field: str, labels: Mapping[str, Any]) -> Iterator[str]:
    for key, value in labels.items():
        if not is_key(str(key)):
            yield f"{field} has the key {str(key)[:64]!r}, which no label can have"
        if isinstance(value, str) and not is_value(value):
            yield f"{field} has the value {value[:64]!r}, which no label can have"


def _expression(field: str, row: Mapping[str, Any], *, of_nodes: bool) -> Iterator[str]:
    key, operator = text(row, "key"), text(row, "operator")
    number = len(strings(row, "values"))
    where = f"{field}: the expression on {key[:64]!r}"
    if not is_key(key):
        yield f"{where} has a key that no label can have"
    if operator in _SETS and number == 0:
        yield f"{where} with {operator} has no values"
    elif operator in _EXISTENCE and number:
        yield f"{where} with {operator} has values"
    elif of_nodes and operator in _BOUNDS and number != 1:
        yield f"{where} with {operator} needs one value"
    elif operator not in (*_SETS, *_EXISTENCE, *(_BOUNDS if of_nodes else ())):
        yield f"{where} has the unknown operator {operator[:32]!r}"
    for value in strings(row, "values") if operator in _SETS and not of_nodes else ():
        if not is_value(value):
            yield f"{where} has the value {value[:64]!r}, which no label can have"
