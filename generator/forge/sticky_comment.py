"""One comment per pull request, edited in place, whatever crashes or runs beside us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from generator.forge.errors import NotFound, Rejected, Unavailable
from generator.forge.port import Comment

_ROUNDS = 4


class Comments(Protocol):
    """The four things a forge can do with the comments of a pull request."""

    def author(self) -> str:
        """The id of the user that we are."""

    def comments(self, number: int) -> Iterable[Comment]:
        """All comments, over all pages."""

    def create_comment(self, number: int, body: str) -> Comment:
        """A new comment."""

    def edit_comment(self, number: int, comment: int, body: str) -> Comment:
        """Another text for a comment."""

    def delete_comment(self, number: int, comment: int) -> None:
        """A comment less; one that is gone already is fine."""


def upsert(forge: Comments, number: int, marker: str, body: str, *, limit: int) -> Comment:
    """Leave exactly one comment of ours with this marker, holding this text.

    Author and marker both have to match: anybody may write our marker, and we may write other
    comments. After a creation the list is read again, so that of two runs at the same time the
    older comment wins. Raises ForgeError where the forge refuses or the text is too long.
    """
    text = body if marker in body else f"{marker}\n{body}"
    if len(text) > limit:
        raise Rejected(
            f"the comment has {len(text)} characters, the forge allows {limit}",
            hint="shorten the report to the forge's comment budget",
        )
    created: Comment | None = None
    for _ in range(_ROUNDS):
        comments = _mine(forge, number, marker)
        if comments:
            comment = _keep(forge, number, comments, text)
            if comment:
                return comment
        elif created:
            return created  # written, but the forge's list lags behind
        else:
            created = _create(forge, number, text)
    raise Unavailable("the comment could not be updated", hint="try again later")


def _mine(forge: Comments, number: int, marker: str) -> list[Comment]:
    author = forge.author()
    found = [c for c in forge.comments(number) if c.author == author and marker in c.body]
    return sorted(found, key=lambda comment: comment.id)


def _keep(forge: Comments, number: int, comments: list[Comment], text: str) -> Comment | None:
    """The oldest with the new text; None when it vanished under our hands."""
    oldest, *spares = comments
    for spare in spares:
        forge.delete_comment(number, spare.id)
    if _normal(oldest.body) == _normal(text):
        return oldest
    try:
        return forge.edit_comment(number, oldest.id, text)
    except NotFound:
        return None


def _create(forge: Comments, number: int, text: str) -> Comment | None:
    """The new comment; None when it may or may not have been written."""
    try:
        return forge.create_comment(number, text)
    except Unavailable as error:
        if not error.written:
            raise
        return None


def _normal(text: str) -> str:
    """Without what forges change on their own: line ends and trailing space."""
    return text.replace("\r\n", "\n").rstrip()
