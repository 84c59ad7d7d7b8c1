"""Folders that are made once in a run of the tests, by whichever of its processes comes first."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path


class Templates:
    """Below `root`, by name. What a test changes it changes in a copy."""

    def __init__(self, root):
        self.root = root

    def place(self, name, make):
        """The folder of that name; `make` is called with an empty one where there is none yet."""
        place = self.root / name
        if not place.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root) as part:
                folder = Path(part) / "made"
                folder.mkdir()
                make(folder)
                _pack(folder)
                # Another process may have been faster: what it made is the same.
                with contextlib.suppress(OSError):
                    folder.rename(place)
        return place

    def copy(self, name, make, target):
        """The same, as a copy at `target`, which may be there and empty."""
        return copied(self.place(name, make), target)


def copied(folder, target):
    """A copy of a folder at `target`, which may be there and empty."""
    # Without times: git looks at the content of what is new to it in either case.
    shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copy)
    return target


def _pack(folder):
    """One file in place of each repository's many objects: there is less to copy."""
    for head in list(folder.rglob("HEAD")):
        if (head.parent / "objects").is_dir():
            command = ["git", f"--git-dir={head.parent}", "repack", "-a", "-d", "--quiet"]
            subprocess.run(command, check=True)
