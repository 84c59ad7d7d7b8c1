"""What checks of chart values say, in the words of a definition.

A check of values speaks of the chart's keys, as `check` has it for a values file. In a definition a
field decides most of these keys, and `values:` may hold the others. A hint that is followed to the
letter must not lead to another error: a value is kept only where the field takes the same.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Collection, Iterator

import pydantic

from generator.core.problem import Problem
from generator.model.environment import Environment
from generator.model.marks import sections
from generator.release.setting import PROMISE

Owner = Callable[[tuple[str, ...]], str | None]
"""The field that decides a chart key, PROMISE where gen-env does, None where `values:` may."""

_KEY = re.compile(r"(?<![\w./:@-])[a-z]\w*(?:\.[A-Za-z_][\w-]*)*(?![\w/@(-])")
_PLAIN_WORD = re.compile(r"[a-z]+")
_OPTION = re.compile(r"config\.(\w+\.\w+)")

HINTS = {
    "images/not-by-digest": "set image.digest to the digest behind the tag",
    "executor/config-differs": "remove airflow.config.core.executor",
    "monitoring/logs-lost": "set logging.remote or logging.persistence",
    "scaling/no-resources": "set resources.requests and resources.limits.memory of the component",
}
"""By rule, where the field has another form than the chart's key."""

_FORMS = {"disruptionBudget": "{maxUnavailable: 1}"}
"""The value to set in a field of that name, where the hint's own is one of the chart's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """How one environment calls the chart's keys; `keys` are those at the top of the values."""

    environment: str
    owner: Owner
    keys: Collection[str]

    def problem(self, problem: Problem) -> Problem:
        """The problem in these words, its hint left out where gen-env itself decides the key."""
        hint = HINTS.get(problem.rule) or self.hint(problem.hint)
        return dataclasses.replace(problem, message=self.message(problem.message), hint=hint)

    def message(self, text: str) -> str:
        """The text with each chart key by the name that it has here."""
        return self._replaced(text, lambda key: self._name(key) or key)

    def hint(self, text: str) -> str:
        """What to do instead, in a form that the definition takes."""
        for key in self._found(text):
            field = self.owner(tuple(key.split(".")))
            if field == PROMISE:
                return ""
            if field and not self._is_alike(key, field):
                return self._set(field)
        return self.message(text)

    def field(self, key: tuple[str, ...]) -> str | None:
        """The field that decides a chart key: below its owner the part of the same name, if any."""
        field = self.owner(key)
        if not field or field == PROMISE:
            return None
        length = next(n for n in range(1, len(key) + 1) if self.owner(key[:n]) == field)
        parts = [field, *key[length:]]
        whole = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((name for name in whole if name in fields()), field)

    def _set(self, field: str) -> str:
        form = _FORMS.get(field.rpartition(".")[2])
        if form:
            return f"set {field}: {form}"
        return f"change {field} (gen-env explain {self.environment} {field})"

    def _name(self, key: str) -> str | None:
        if field := self.field(tuple(key.split("."))):
            return field
        if option := _OPTION.fullmatch(key):
            return f"airflow.config.{option[1]}"
        return f"values.{key}" if "." in key and self.owner(tuple(key.split("."))) is None else None

    def _is_alike(self, key: str, field: str) -> bool:
        """Whether the field takes what the chart's key takes, as their names end alike."""
        found = self.field(tuple(key.split("."))) or field
        ours, theirs = found.rpartition(".")[2].lower(), key.rpartition(".")[2].lower()
        return theirs.endswith(ours)

    def _found(self, text: str) -> Iterator[str]:
        for match in _KEY.finditer(text):
            if self._is_key(match[0]):
                yield match[0]

    def _is_key(self, word: str) -> bool:
        return word.partition(".")[0] in self.keys and not _PLAIN_WORD.fullmatch(word)

    def _replaced(self, text: str, name: Callable[[str], str]) -> str:
        return _KEY.sub(lambda found: name(found[0]) if self._is_key(found[0]) else found[0], text)


@functools.cache
def fields() -> frozenset[str]:
    """Every field of a definition by its dotted path; none below free keys and in lists."""
    return frozenset(_below(Environment, ()))


def _below(model: type[pydantic.BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        place = (*path, info.alias or name)
        yield ".".join(place)
        for section in sections(info.annotation):
            yield from _below(section, place)
