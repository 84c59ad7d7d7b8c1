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
_PORTS = {"https": 443, "http": 80, "ssh": 22}


@dataclasses.dataclass(frozen=True, slots=True)
class Clone:
    """The repository that contains the user's files."""

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
            words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}^{{commit}}")
            done = git.run(*words, check=False)
            if done.status == 0:
                return command.one_line(done)
        return ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Address:
    """An address of a repository: by SSH and by HTTPS, host and path are the same."""

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, url: str) -> _Address:
        """The parts of a URL, or of `host:path` as scp has it; raises ValueError for others."""
        if match := _SCP.fullmatch(url):
            scheme, host, port, path = "ssh", match[1], None, match[2]
        else:
            parts = urllib.parse.urlsplit(url)
            scheme = parts.scheme.removeprefix("git+")
            host, port, path = parts.hostname or "", parts.port, parts.path
        return cls(
            scheme, host.lower(), port or _PORTS.get(scheme), path.strip("/").removesuffix(".git")
        )


def _same(one: str, two: str) -> bool:
    """Whether both lead to one repository: each scheme has a port of its own on a host."""
    try:
        left, right = _Address.of(one), _Address.of(two)
    except ValueError:
        return one == two
    places_equal = (left.host, left.path) == (right.host, right.path)
    return places_equal and (left.scheme != right.scheme or left.port == right.port)
