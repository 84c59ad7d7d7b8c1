"""The git side of a stand-in forge: a bare repository, and what the forge's API knows of it."""

import subprocess
from pathlib import Path


class Branches:
    """The branches that the forge knows: those of the bare repository, as it is now."""

    def __init__(self, bare):
        self.bare = bare

    def __contains__(self, name):
        return self.bare.branch(name) is not None

    def add(self, name):
        pass


class Anything:
    """Every commit is known to the forge."""

    def __contains__(self, sha):
        return True

    def add(self, sha):
        pass


class Bare:
    """The remote: a bare repository on disk."""

    def __init__(self, path):
        self.path = Path(path)

    def init(self):
        self.path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")

    def git(self, *arguments):
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def branch(self, name):
        return self.git("rev-parse", "--quiet", "--verify", f"refs/heads/{name}") or None

    def branches(self, pattern="*"):
        listed = self.git("for-each-ref", "--format=%(refname:short)", f"refs/heads/{pattern}")
        return listed.split()

    def hook(self, name, text):
        """Install a hook that the remote runs."""
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        path.chmod(0o755)
