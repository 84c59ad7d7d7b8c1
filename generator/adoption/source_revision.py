"""Whether a file of the work tree is the one that a git source of a release names."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from pathlib import Path

from generator.core.errors import UserError
from generator.git import command
from generator.git.command import Git
from generator.git.url import display_url

_SHA = re.compile("[0-9a-f]{7,64}")
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)/?(.+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Clone:
    """The repository that the user's files stand in."""

    root: Path

    def differs(self, path: str, address: str, revision: str) -> str:
        """Why the file or folder at `path` may be another in that repository at that revision.

        '' where both are known to be the same. Nothing is fetched: a branch is the remote's as of
        the last fetch, else the local one.
        """
        shown, name = display_url(address), revision or "HEAD"
        try:
            git = command.in_worktree(self.root)
            remotes = self._remotes(git)
            known = [name for name, url in remotes if _same(url, address)]
            if not known:
                return f"it is read here, and no remote of this clone is {shown or 'named'}"
            commit = self._commit(git, known[0], revision)
            if not commit:
                return f"it is read here, and this clone does not know {name} of {shown}"
            changed = git.run("diff", "--name-only", commit, "--", path).stdout.strip()
            others = git.run("ls-files", "--others", "--", path).stdout.strip()
        except UserError as error:
            return f"it is read here, and git cannot compare it with {shown}: {error.message}"
        if changed or others:
            return f"it is read here, and differs from {name} of {shown}"
        return ""

    def _remotes(self, git: Git) -> list[tuple[str, str]]:
        done = git.run("config", "--get-regexp", r"^remote\..*\.url$", check=False)
        rows = (line.partition(" ") for line in done.stdout.decode("utf-8", "replace").splitlines())
        return [(key.removeprefix("remote.").removesuffix(".url"), url) for key, _, url in rows]

    def _commit(self, git: Git, remote: str, revision: str) -> str:
        """The commit that Argo CD or Flux takes for a revision, '' where it is not known here."""
        name = revision or "HEAD"
        places = [f"refs/remotes/{remote}/{name}", f"refs/tags/{name}", f"refs/heads/{name}"]
        if name == "HEAD" or _SHA.fullmatch(name):
            places.append(name)
        for place in places:
            asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}^{{commit}}")
            done = git.run(*asked, check=False)
            if done.status == 0:
                return command.one_line(done)
        return ""


def _same(one: str, two: str) -> bool:
    return _plain(one) == _plain(two)


def _plain(url: str) -> tuple[str, str]:
    """Host and path, which are the same by SSH and HTTPS."""
    if match := _SCP.fullmatch(url):
        host, path = match[1], match[2]
    else:
        parts = urllib.parse.urlsplit(url)
        host, path = parts.hostname or "", parts.path
    return host.lower(), path.strip("/").removesuffix(".git")
