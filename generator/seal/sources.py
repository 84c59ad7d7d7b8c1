"""Where plaintext comes in: a prompt, a file, standard input, an assignment. See `envfile` too."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal.sealed_secret import MAX_SECRET_BYTES, require_key

# git-sync 3 read GIT_SYNC_*, git-sync 4 reads GITSYNC_*; the chart demands all four.
_GIT_SYNC_USER = ("GITSYNC_USERNAME", "GIT_SYNC_USERNAME")
_GIT_SYNC_PASSWORD = ("GITSYNC_PASSWORD", "GIT_SYNC_PASSWORD")


def from_prompt(
    key: str,
    *,
    ask: Callable[[str], str] = getpass.getpass,
    interactive: Callable[[], bool] = sys.stdin.isatty,
) -> Secret:
    """A value typed or pasted twice without echo; UserError off a terminal or when they differ.

    Off a terminal getpass would read the value with echo, so nothing is asked there.
    """
    if not interactive():
        raise UserError(
            f"no value for {key}, and no terminal to ask on",
            hint="use --from-file, --from-env-file, or pipe the value to standard input",
        )
    first = Secret(ask(f"{key}: "))
    if not first.size:
        raise UserError(f"no value for {key} was given")
    if Secret(ask(f"{key}, once more: ")) != first:
        raise UserError(f"the two values for {key} differ", hint="nothing was sealed; try again")
    return first


def from_file(path: Path) -> Secret:
    """A file's content; the line end after a single line of text goes, everything else stays.

    An editor's newline would end up in a password, while an SSH key needs its last one.
    """
    try:
        with path.open("rb") as file:
            return _read(file, str(path))
    except OSError as error:
        raise UserError(f"cannot read the value: {error.strerror}", path=str(path)) from None


def from_stream(stream: BinaryIO) -> Secret:
    """What a pipe brings, with the same rule for the line end as a file."""
    return _read(stream, "standard input")


def from_assignment(text: str) -> tuple[str, Secret]:
    """`KEY=VALUE` from the command line; UserError without a key or a value."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        # Not quoted: what looks like no assignment may well be the value itself.
        raise UserError("expected KEY=VALUE", hint="give KEY alone to be asked for its value")
    require_key(key)
    if not value:
        raise UserError(f"no value for {key} was given")
    return key, Secret(value)


def git_sync_credentials(user: str, token: Secret) -> dict[str, Secret]:
    """The four keys that the chart's git-sync containers demand for https repositories."""
    if not user:
        raise UserError("git-sync needs a user name beside the token", hint="any name often works")
    named = {key: Secret(user) for key in _GIT_SYNC_USER}
    return dict(sorted({**named, **dict.fromkeys(_GIT_SYNC_PASSWORD, token)}.items()))


def _read(stream: BinaryIO, path: str) -> Secret:
    data = stream.read(MAX_SECRET_BYTES + 1)
    if len(data) > MAX_SECRET_BYTES:
        raise UserError("the value is larger than a Secret can hold (1 MiB)", path=path)
    value = _without_line_end(data)
    if not value:
        raise UserError("the value is empty", path=path)
    return Secret(value)


def _without_line_end(data: bytes) -> bytes:
    if data.count(b"\n") != 1 or not data.endswith(b"\n") or b"\0" in data:
        return data
    return data.removesuffix(b"\n").removesuffix(b"\r")
