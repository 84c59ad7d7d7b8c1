"""Label selectors, over many objects without trying each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from generator.health import fields

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
