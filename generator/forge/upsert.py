"""Writes that can be run again: find what is there, and only then create or edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from generator.forge.errors import Rejected, Unavailable
from generator.forge.port import CheckState, PullRequest, Status


def ensure_pr(
    find: Callable[[], PullRequest | None],
    create: Callable[[], PullRequest],
    edit: Callable[[PullRequest], PullRequest],
    *,
    title: str,
    body: str,
) -> PullRequest:
    """The one open pull request, created or edited where needed.

    A refused or lost creation is followed by another look: somebody may have been faster, or the
    answer alone was lost. Otherwise the error is raised.
    """
    found = find()
    if found is None:
        try:
            return create()
        except (Rejected, Unavailable) as error:
            found = find()
            if found is None:
                raise error
    return found if (found.title, found.body) == (title, body) else edit(found)


def is_set(
    statuses: Iterable[Status], words: Mapping[CheckState, str], wanted: tuple[str, str, str, str]
) -> bool:
    """Whether context, state (in the forge's word), description and URL stand there already."""
    return any(
        (found.context, words[found.state], found.description, found.url) == wanted
        for found in statuses
    )
