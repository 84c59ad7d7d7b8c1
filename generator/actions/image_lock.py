"""`gen-env image lock`: the lock of an environment's image, made by uv from what it asks for."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import tempfile
from pathlib import Path

from generator.core import process
from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition.resolve import Resolved
from generator.image_build import lock, requirements
from generator.image_build.containerfile import Facts
from generator.redaction.text import redact
from generator.tree import image_files

_TIMEOUT = 900.0
# The oldest glibc of the official images: Debian 12 has 2.36, and wheels of this tag run there.
_PLATFORM = "x86_64-manylinux_2_28"


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A package whose locked version changes; '' where it is not locked on that side."""

    name: str
    before: str
    after: str


def facts(files: Files, resolved: Resolved) -> Facts:
    """What an environment's image is built from. Raises UserError where that is not known."""
    read = image_files.load(files, resolved)
    if read.problems:
        raise UserError.of(read.problems[0])
    if read.facts is None:
        message = f"{resolved.name} builds no image"
        raise UserError(message, path=resolved.definition.path, hint="write image.build")
    return read.facts


def made(files: Files, known: Facts) -> str:
    """The lock as text. Raises UserError if uv is missing or fails, or nothing bounds versions."""
    build = known.build
    if build.constraints is None and not known.day:
        raise UserError(
            f"the release day of Airflow {known.airflow} is unknown, and constraints are missing",
            hint="write image.build.constraints (Airflow's constraints file in the environment's"
            " folder), or image.build.notAfter (the day of the release)",
        )
    command = [
        uv(), "pip", "compile", "-", "--quiet", "--no-config", "--no-header", "--no-annotate",
        "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
        "--python-version", build.python, "--python-platform", _PLATFORM,
    ]  # fmt: skip
    if known.inputs.wheels_only:
        command += ["--only-binary", ":all:"]
    if build.index:
        command += ["--index-url", build.index]
    with tempfile.TemporaryDirectory(prefix="gen-env-lock-") as folder:
        command += _bound(files, known, Path(folder))
        done = process.run(
            command, cwd=Path(folder), env=environment(), stdin=known.inputs.text.encode(),
            timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    if done.status:
        words = redact(done.stderr.decode("utf-8", "replace")).strip()
        raise UserError(f"cannot lock: {words.removeprefix('error: ')}", hint=_hint(known))
    return lock.text(known.environment, known.inputs, done.stdout.decode("utf-8", "replace"))


def _bound(files: Files, known: Facts, folder: Path) -> list[str]:
    name = known.build.constraints
    if name is None:
        # A day alone would end at another moment in each time zone.
        return ["--exclude-newer", requirements.end_of(known.day).strftime("%Y-%m-%dT%H:%M:%SZ")]
    place = folder / "constraints.txt"
    place.write_bytes(requirements.unix(files.read(f"{known.folder}/{name}") or b""))
    return ["--constraint", str(place)]


def _hint(known: Facts) -> str:
    wheels = "; a package without wheels needs image.build.buildApt" * known.inputs.wheels_only
    return f"check names and versions in image.build{wheels}"


def uv() -> str:
    """The uv on PATH, or the one beside Python. Raises UserError."""
    beside = Path(sys.executable).with_name("uv")
    found = shutil.which("uv") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise UserError("uv not found: it makes the lock", hint="install uv: pip install uv")
    return found


def environment() -> dict[str, str]:
    """The environment of uv: that of the user, and no Python that it fetches by itself."""
    return {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


def changes(before: bytes, after: bytes) -> tuple[Change, ...]:
    """The packages whose version differs between two locks."""
    old, new = lock.versions(before), lock.versions(after)
    names = sorted({*old, *new})
    pairs = [Change(name, old.get(name, ""), new.get(name, "")) for name in names]
    return tuple(item for item in pairs if item.before != item.after)
