"""Folders that are made once in a run of the tests, by whichever of its processes comes first."""

import contextlib
import shutil
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
                # Another process may have been faster: what it made is the same.
                with contextlib.suppress(OSError):
                    folder.rename(place)
        return place

    def copy(self, name, make, target):
        """The same, as a copy at `target`, which may be there and empty."""
        shutil.copytree(self.place(name, make), target, symlinks=True, dirs_exist_ok=True)
        return target
