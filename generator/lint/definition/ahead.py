"""What an environment uses that the next major version of the chart comes without."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import INFO
from generator.release import leaving
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)
_SHOWN = 5


@_rule(
    "chart/leaves-with-2",
    INFO,
    "Parts of the chart that version 2.0 is to drop",
    "The upgrade to 2.0 needs another step for each of them.",
)
def _leaves(release: Release) -> Iterator[Place]:
    environment = release.environment
    if not leaving.is_announced(environment):
        return
    names = [part for part, _ in leaving.advice(environment, release.resolved.name)]
    if names:
        shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        yield (
            ("chart", "version"),
            f"leaves with chart 2.0: {shown}",
            f"gen-env explain {release.resolved.name} says what to do before",
        )
