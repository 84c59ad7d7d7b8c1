"""Label selectors, over many objects without trying each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from generator.kube import fields

Item = TypeVar("Item")


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector (`matchLabels` and `matchExpressions`) matches these labels.

    As in Kubernetes an empty selector matches everything and no selector nothing. Values compare
    as strings; an operator that Kubernetes does not know matches nothing.
    """
    if not isinstance(selector, Mapping):
        return False
    return matches_plain(fields.section(selector, "matchLabels"), labels) and all(
        _holds(entry, labels) for entry in fields.entries(selector, "matchExpressions")
    )


def matches_plain(wanted: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether all of these labels are there; for the selector of a Service, which is not empty."""
    return all(_is_one_of(labels, key, [value]) for key, value in wanted.items())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key = fields.text(expression, "key")
    values = fields.at(expression, "values")
    values = values if isinstance(values, list) else []
    match fields.text(expression, "operator"):
        case "In":
            return _is_one_of(labels, key, values)
        case "NotIn":
            return not _is_one_of(labels, key, values)
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def _is_one_of(labels: Mapping[str, Any], key: str, values: list[Any]) -> bool:
    return key in labels and str(labels[key]) in map(str, values)


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
                self._by_label.setdefault((namespace, str(name), str(value)), []).append(entry)

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
            fewer = self._by_label.get((namespace, str(name), str(value)), [])
            candidates = min(candidates, fewer, key=len)
        return [item for labels, item in candidates if matches(selector, labels)]
