"""Label selectors: whether a selector matches a set of labels, as Kubernetes reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything, None nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(str(labels.get(key)) != str(value) for key, value in wanted.items()):
        return False
    return all(_holds(item, labels) for item in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    values = {str(value) for value in expression.get("values") or ()}
    match operator:
        case "In":
            return key in labels and str(labels[key]) in values
        case "NotIn":
            return key not in labels or str(labels[key]) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


def matches_plain(selector: Mapping[str, Any] | None, labels: Mapping[str, Any]) -> bool:
    """Whether a plain label map, as in a Service, matches; an empty one selects nothing."""
    return bool(selector) and all(
        str(labels.get(key)) == str(value) for key, value in (selector or {}).items()
    )
