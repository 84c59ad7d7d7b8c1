"""What gen-env needs of the machine: Python, git, Helm, memory."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from generator.core import process
from generator.core.errors import UserError
from generator.core.files import WorkTree
from generator.pipeline import toolchain

_NEEDED = 512 << 20
"""Bytes: Helm may write 1 GiB for one render before it is stopped, and takes a fraction of it."""
_TIMEOUT = 10.0
_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """One thing of the machine: whether it fits, what it is, what to do."""

    subject: str
    fits: bool
    message: str
    hint: str = ""

    @property
    def words(self) -> tuple[str, str]:
        """Message and hint."""
        return self.message, self.hint


def looks(root: Path | None) -> Iterator[Look]:
    """Everything of the machine; programs get ten seconds to tell their version."""
    yield _python()
    yield _system()
    yield _git()
    yield _helm(root)
    yield _memory()


def _python() -> Look:
    version = platform.python_version()
    return Look("Python", sys.version_info >= (3, 11), version, "gen-env needs 3.11 or newer")


def _system() -> Look:
    """Elsewhere than on Linux a render is bounded by time and output, not by memory."""
    name = f"{platform.system()} {platform.machine()}"
    if sys.platform == "linux":
        return Look("system", True, name)
    text = f"{name}: renders are bounded in time and size of output, not in memory"
    return Look("system", sys.platform == "darwin", text, "gen-env is tested on Linux")


def _git() -> Look:
    try:
        return Look("git", True, _version("git", "--version"))
    except UserError as error:
        return Look("git", False, error.message, "install git")


def _helm(root: Path | None) -> Look:
    """The library or the program, whichever renders here."""
    settings = toolchain.settings(WorkTree(root)) if root is not None else None
    chosen = settings.helm if settings is not None else "sdk"
    library = importlib.util.find_spec("helm_python") is not None
    program = os.environ.get("GEN_ENV_HELM", "helm")
    if chosen == "sdk" and library:
        version = importlib.metadata.version("helm-python-sdk")
        return Look("Helm", True, f"the library helm-python-sdk {version}")
    why = "gen-env.yaml says helm: binary" if chosen == "binary" else "the library is not installed"
    hint = "install helm, or gen-env with its library: gen-env[helm]"
    if shutil.which(program) is None:
        return Look("Helm", False, f"{why}, and the program {program} is not on PATH", hint)
    try:
        version = _version(program, "version", "--short")
    except UserError as error:
        return Look("Helm", False, error.message, hint)
    return Look("Helm", True, f"the program {program} {version} ({why})")


def _version(*command: str) -> str:
    """The first line that a program prints; raises UserError where it fails or takes too long."""
    done = process.run(command, timeout=_TIMEOUT)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines[0].strip() if lines else "unknown version"


def _memory() -> Look:
    """Memory of the machine, or of the container where that is less."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return Look("memory", True, "this system does not say how much there is")
    limit = _container()
    bound = min(total, limit) if limit else total
    text = f"{bound / (1 << 30):.1f} GiB" + (" for this container" if limit == bound else "")
    return Look("memory", bound >= _NEEDED, text, "a render needs about 512 MiB")


def _container() -> int | None:
    """The memory limit of the control group (cgroup v2), if it has one."""
    try:
        text = _CGROUP.read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
