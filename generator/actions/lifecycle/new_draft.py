"""The definition of a new environment while it is being answered: every answer judged at once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

from generator.core.errors import UserError
from generator.core.files import Files, Overlay
from generator.core.layered import Path, alternatives, lookup
from generator.core.problem import Problem, Severity
from generator.definition import definition, resolve
from generator.definition.definition import FILE_NAME, ROOT
from generator.definition.resolve import Resolved
from generator.lint.definition import repository
from generator.manifests import network_policies
from generator.model.repository import Cluster
from generator.pipeline import generate
from generator.pipeline.generate import Built, Charts
from generator.release.expressed import LACKS_FEATURE
from generator.tree.catalogue import Catalogue
from generator.yaml import edit, reader


@dataclasses.dataclass(frozen=True)
class Draft:
    """A definition's text so far, and the repository that it will be part of."""

    name: str
    text: str
    files: Files
    catalogue: Catalogue
    charts: Charts

    @functools.cached_property
    def data(self) -> Mapping[str, object]:
        """The text, parsed."""
        data = reader.read(self.text, "").data
        return data if isinstance(data, Mapping) else {}

    @property
    def tier(self) -> str:
        """The tier that the text names."""
        return str(lookup(self.data, ("metadata", "tier")))

    @property
    def cluster(self) -> Cluster | None:
        """The catalogue's entry of the cluster that the text names."""
        settings = self.catalogue.settings
        name = str(lookup(self.data, ("destination", "cluster")))
        return settings.repository.clusters.get(name) if settings else None

    def value(self, field: str) -> object:
        """What is written for a field; None where nothing is."""
        return lookup(self.data, tuple(field.split(".")))

    def with_fields(self, fields: Mapping[str, object]) -> Draft:
        """The draft with these fields, without what they exclude; None removes one."""
        text = self.text
        for field, value in fields.items():
            path = tuple(field.split("."))
            for other in () if value is None else alternatives(path):
                text = _without(text, other)
            text = edit.remove(text, path) if value is None else edit.set_value(text, path, value)
        return dataclasses.replace(self, text=text)

    def fault(self, fields: Mapping[str, object]) -> str:
        """The first error that these fields would bring, or nothing."""
        try:
            ahead = self.with_fields(fields)
            brought = [
                message for rule, message in ahead.errors if (rule, message) not in self.errors
            ]
            if not brought and "networkPolicy.mode" in fields:
                brought = list(ahead.undeclared())
        except UserError as error:
            return error.message
        return brought[0] if brought else ""

    def undeclared(self) -> Iterator[str]:
        """The peers that policies need and the text does not declare, one message for each."""
        release = self.built.release
        for item in network_policies.policies(release)[1] if release else ():
            if item.severity is Severity.ERROR:
                yield item.message

    @functools.cached_property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """Rule and message of every error that text and chart tell without a render."""
        return tuple(
            (item.rule, item.message)
            for item in self._problems()
            if item.severity is Severity.ERROR
        )

    @functools.cached_property
    def refused(self) -> tuple[str, ...]:
        """What the text asks for and its chart cannot express."""
        problems = self.built.problems
        return tuple(item.message for item in problems if item.rule == LACKS_FEATURE.id)

    @functools.cached_property
    def built(self) -> Built:
        """What `generate` makes of the text."""
        settings = self.catalogue.settings
        assert settings is not None
        content = self.text.encode()
        ahead = Overlay(self.files, {f"{ROOT}/{self.name}/{FILE_NAME}": content})
        return generate.build(ahead, settings, definition.load(self.name, content), self.charts)

    def _problems(self) -> Iterator[Problem]:
        yield from self.built.problems
        if self.built.resolved is not None:
            everybody = [*others(self.catalogue, self.name), self.built.resolved]
            yield from repository.problems(everybody)


def _without(text: str, path: Path) -> str:
    """The text without a field, and without the mapping that it leaves empty."""
    data = reader.read(text, "").data
    if len(path) > 1 and lookup(data, path) is not None and len(lookup(data, path[:-1])) == 1:
        return edit.remove(text, path[:-1])
    return edit.remove(text, path)


def others(found: Catalogue, name: str) -> list[Resolved]:
    """The environments beside this one, as far as they resolve."""
    if found.settings is None:
        return []
    items = [item for item in found.definitions.values() if item.name != name]
    resolved = (resolve.resolve(item, found.settings)[0] for item in items)
    return [item for item in resolved if item is not None]
