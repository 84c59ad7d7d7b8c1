"""git, started for one repository: what every call has in common."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from generator.core import process
from generator.core.errors import UserError

# What a surrounding git (a hook, `git rebase --exec`) sets for its own repository and index;
# inherited, it would point our calls at the wrong one.
OUTER = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

SETTINGS = {
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Git:
    """git with the options and the environment that every call in one repository takes."""

    options: tuple[str, ...]
    environment: Mapping[str, str] = dataclasses.field(repr=False)  # it can hold a token

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        check: bool = True,
        timeout: float = 120.0,
        limit: tuple[str, ...] = (),
    ) -> process.Completed:
        """Run `git OPTIONS ARGUMENTS`, started through the program `limit`; raises CommandError."""
        return process.run(
            [*limit, "git", *self.options, *arguments],
            env=self.environment,
            stdin=stdin,
            check=check,
            timeout=timeout,
        )

    def with_environment(self, more: Mapping[str, str]) -> Git:
        """The same with these variables besides."""
        return dataclasses.replace(self, environment={**self.environment, **more})

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `git OPTIONS ARGUMENTS` and leave it running: see `command.start`."""
        return process.start(["git", *self.options, *arguments], env=self.environment)

    def line(self, *arguments: str) -> str:
        """The one line that git prints; raises CommandError."""
        return one_line(self.run(*arguments))

    def line_or_none(self, *arguments: str) -> str | None:
        """The one line that git prints, None when it fails or prints nothing."""
        completed = self.run(*arguments, check=False)
        return (one_line(completed) or None) if completed.status == 0 else None


def in_worktree(root: Path) -> Git:
    """git as the user has set it up (hooks, signing, filters), in the work tree at `root`.

    Paths are taken literally: a file called `:(top)x` is just a file.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in OUTER}
    return Git(("-C", str(root)), inherited | SETTINGS)


def one_line(completed: process.Completed) -> str:
    """The standard output without its last line break; a path may hold others."""
    return os.fsdecode(completed.stdout).removesuffix("\n")


def words_of(completed: process.Completed, most: int = 20) -> str:
    """The last lines of what git, and the hooks it started, said before they failed."""
    text = (completed.stderr.strip() or completed.stdout.strip()).decode("utf-8", "replace")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-most:]) or f"exit status {completed.status}"


def refuse_option(text: str, what: str) -> None:
    """Raise UserError when a name from outside would be read as an option."""
    if text.startswith("-") or "\0" in text or not text:
        raise UserError(f"invalid {what} {text!r}")
