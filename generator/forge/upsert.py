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
    pull = find()
    if pull is None:
        try:
            return create()
        except (Rejected, Unavailable) as error:
            pull = find()
            if pull is None:
                raise error
    return pull if (pull.title, pull.body) == (title, body) else edit(pull)


def is_set(
    statuses: Iterable[Status], words: Mapping[CheckState, str], wanted: tuple[str, str, str, str]
) -> bool:
    """Whether context, state (in the forge's word), description and URL stand there already."""
    return any(
        (status.context, words[status.state], status.description, status.url) == wanted
        for status in statuses
    )
