"""Whether a file of the user's clone is the one that a git source of a release names."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path

from generator.core.errors import UserError
from generator.git import command
from generator.git.command import Git
from generator.git.url import display_url, same_repository
from generator.git.worktree import Worktree

_SHA = re.compile("[0-9a-f]{7,64}")
_YAML = (".yaml", ".yml")
_MOST = 300


@dataclasses.dataclass(frozen=True, slots=True)
class Clone:
    """The user's clone, whose files are read below `folder`: those of a commit, or the work tree.

    A branch in `own` is what these files are about to become: they count as its content.
    """

    folder: Path
    at: str = ""
    own: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folder: Path, at: str = "", branch: str = "", base: str = "") -> Clone:
        """The clone around a folder, where the default branch and the one checked out are its own.

        `branch` is the configured default branch, `base` the revision that the user compares with.
        """
        own = {"", "HEAD"}
        with contextlib.suppress(UserError):
            tree = Worktree.find(folder)
            own.add(tree.branch() or "")
            name = base.removeprefix("origin/")
            refs = (f"refs/heads/{name}", f"refs/remotes/origin/{name}")
            if base and tree.git.line_or_none("for-each-ref", *refs):
                own.add(name)
            own.add(tree.default_branch(branch))
        return cls(folder, at, frozenset(own))

    def differs(self, path: str, address: str, revision: str) -> str:
        """Why the file or folder at `path` may be another in that repository at that revision.

        '' where both are known to be the same. Nothing is fetched: a branch is the remote's as of
        the last fetch, else the local one.
        """
        revision = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        shown, name = display_url(address), revision or "HEAD"
        try:
            git = command.in_worktree(self.folder)
            known = [name for name, url in self._remotes(git) if same_repository(url, address)]
            if not known:
                return f"it is read here, and no remote of this clone is {shown or 'named'}"
            if above := git.line_or_none("rev-parse", "--show-prefix"):
                return f"it is read below {above}, and paths count from the top of {shown}"
            if revision in self.own:
                return ""
            commit = self._commit(git, known[0], revision)
            if not commit:
                return f"it is read here, and this clone does not know {name} of {shown}"
            changed = self._changed(git, commit, path or ".")
        except UserError as error:
            return f"it is read here, and git cannot compare it with {shown}: {error.message}"
        return f"it is read here, and differs from {name} of {shown}" if changed else ""

    def containing(self, *texts: str) -> list[str]:
        """Paths of the YAML files below `folder` that hold all these texts; none outside of git.

        None either where there are more than a few hundred: they are not read then.
        """
        options = ("-lz", "--fixed-strings", "--all-match")
        named = [part for text in texts for part in ("-e", text)]
        place = [self.at] if self.at else ["--untracked"]
        words = (*options, *named, *place, "--")
        try:
            done = command.in_worktree(self.folder).run("grep", *words, check=False)
        except UserError:  # no git on this machine
            return []
        names = done.stdout.decode("utf-8", "replace").split("\0")
        paths = [name.removeprefix(f"{self.at}:") for name in names if name.endswith(_YAML)]
        return paths if len(paths) <= _MOST else []

    def _changed(self, git: Git, commit: str, path: str) -> bool:
        here = [self.at] if self.at else []
        found = git.run("diff", "--name-only", commit, *here, "--", path).stdout.strip()
        if not self.at:
            found += git.run("ls-files", "--others", "--", path).stdout.strip()
        return bool(found)

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
