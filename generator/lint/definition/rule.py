"""How a rule about a definition is written down: its description beside the search for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from generator.core.problem import Severity
from generator.core.rule import Rule, Tiers
from generator.release.release import Release

Place = tuple[tuple[str, ...], str, str]
"""Path in the definition, message, hint."""
Find = Callable[[Release], Iterator[Place]]
Found = list[tuple[Rule, Find]]


class Mark(Protocol):
    """Describes a rule whose search is the function below."""

    def __call__(
        self, identity: str, severity: Severity, title: str, why: str, tiers: Tiers = ()
    ) -> Callable[[Find], Find]: ...


def marker(found: Found) -> Mark:
    """A decorator that adds rules to `found`."""

    def rule(
        identity: str, severity: Severity, title: str, why: str, tiers: Tiers = ()
    ) -> Callable[[Find], Find]:
        def mark(find: Find) -> Find:
            found.append((Rule(identity, severity, title, why, "gen-env", tiers), find))
            return find

        return mark

    return rule
