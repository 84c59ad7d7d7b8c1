"""Label selectors, over many objects without trying each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from generator.kube import fields

Item = TypeVar("Item")


def is_selected(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector (`matchLabels` and `matchExpressions`) selects these labels."""
    for name, value in fields.section(selector, "matchLabels").items():
        if labels.get(name) != value:
            return False
    return all(_matches(entry, labels) for entry in fields.entries(selector, "matchExpressions"))


class Labelled(Generic[Item]):
    """Things with labels in namespaces, found by selector; a label narrows the search."""

    def __init__(self, items: Iterable[tuple[str, Mapping[str, Any], Item]]) -> None:
        self._spaces: dict[str, list[tuple[Mapping[str, Any], Item]]] = {}
        self._by_label: dict[tuple[str, str, str], list[tuple[Mapping[str, Any], Item]]] = {}
        self._asked: dict[tuple[str, str], list[Item]] = {}
        for namespace, labels, item in items:
            entry = (labels, item)
            self._spaces.setdefault(namespace, []).append(entry)
            for name, value in labels.items():
                self._by_label.setdefault((namespace, str(name), repr(value)), []).append(entry)

    @property
    def namespaces(self) -> list[str]:
        """Where there is anything."""
        return sorted(self._spaces)

    def selected(self, selector: Any, namespace: str) -> list[Item]:
        """What the selector selects in this namespace, in the order given."""
        asked = (namespace, repr(selector))
        if asked not in self._asked:
            self._asked[asked] = self._selected(selector, namespace)
        return self._asked[asked]

    def _selected(self, selector: Any, namespace: str) -> list[Item]:
        candidates = self._spaces.get(namespace, [])
        for name, value in fields.section(selector, "matchLabels").items():
            fewer = self._by_label.get((namespace, str(name), repr(value)), [])
            candidates = min(candidates, fewer, key=len)
        return [item for labels, item in candidates if is_selected(selector, labels)]


def _matches(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key = fields.text(expression, "key")
    values = fields.at(expression, "values")
    values = values if isinstance(values, list) else []
    match fields.text(expression, "operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


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
