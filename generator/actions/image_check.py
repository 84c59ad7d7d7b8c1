"""`gen-env image check`: what the lock of an image would break, seen in a throw-away environment.

It holds the packages of the lock alone: what only the base has is not in it, and no base is pulled.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.actions import image_lock
from generator.core import process
from generator.core.basis import Basis, NotRead
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition.resolve import Resolved
from generator.image_build import lock, probe
from generator.image_build.containerfile import Facts
from generator.redaction.text import redact

_INSTALL, _LOOK = 1800.0, 600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What was looked at, what is broken, and what was not looked at."""

    checked: tuple[str, ...]
    faults: tuple[str, ...]
    not_read: tuple[NotRead, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing that was looked at is broken, and the lock was installed at all."""
        return not self.faults and bool(self.checked)

    @property
    def verdict(self) -> str:
        """One line; without reserve only where everything was looked at."""
        if self.faults:
            return counted(len(self.faults), "error")
        if not self.checked:
            return "nothing could be checked"
        assured = Basis(not_read=self.not_read).assure("no problems found")
        return str(assured) if assured else "no problems found in what was checked"

    def as_json(self) -> dict[str, Any]:
        """`{"checked", "errors", "notRead"}`."""
        return {
            "checked": list(self.checked),
            "errors": list(self.faults),
            "notRead": [item.as_json() for item in self.not_read],
        }


def check(
    root: Path, files: Files, resolved: Resolved, progress: Callable[[str], None] = lambda _: None
) -> Result:
    """Install the lock and look at it. Raises UserError for a lock that does not fit."""
    known = image_lock.facts(files, resolved)
    present = files.read(known.lock)
    if fault := lock.fault(present, known.inputs, known.lock):
        raise UserError(fault, hint=f"run: gen-env image lock {known.environment}")
    base = NotRead("packages of the base image", known.build.base, "no image is pulled")
    not_read = [base, *_not_installed(known)]
    python = known.build.python
    if not _has_python(python):
        reason = f"Python {python} is not installed on this machine"
        return Result((), (), (NotRead("the lock", known.lock, reason), *not_read))
    with tempfile.TemporaryDirectory(prefix="gen-env-check-") as name:
        folder = Path(name)
        progress(f"installing {known.lock}")
        if fault := _install(folder, known, present or b""):
            return Result((f"installing {known.lock}",), (fault,), tuple(not_read))
        progress("importing Airflow's components")
        return _looked(folder, known, _dag_folder(root, known), not_read)


def _not_installed(known: Facts) -> list[NotRead]:
    found = []
    if known.build.apt or known.build.build_apt:
        found.append(NotRead("Debian packages", "image.build", "none is installed for the check"))
    if known.build.dags is None:
        found.append(NotRead("DAG imports", "image.build.dags", "no DAGs go into the image"))
    return found


def _has_python(python: str) -> bool:
    command = [image_lock.uv(), "python", "find", "--no-project", "--no-config", python]
    return process.run(command, env=image_lock.environment(), check=False).status == 0


def _install(folder: Path, known: Facts, text: bytes) -> str:
    """Install the lock into folder/venv; why it cannot be, or ''."""
    (folder / "requirements.lock").write_bytes(text)
    venv = folder / "venv"
    uv, quiet = image_lock.uv(), ("--quiet", "--no-config")
    process.run(
        [uv, "venv", *quiet, "--no-project", "--python", known.build.python, venv],
        env=image_lock.environment(),
    )
    command: list[str | Path] = [
        uv, "pip", "install", *quiet, "--no-deps", "--require-hashes",
        "--requirement", folder / "requirements.lock", "--python", venv / "bin/python",
    ]  # fmt: skip
    command += ["--only-binary", ":all:"] if known.inputs.wheels_only else []
    command += ["--index-url", known.build.index] if known.build.index else []
    done = process.run(command, env=image_lock.environment(), timeout=_INSTALL, check=False)
    if done.status:
        return redact(done.stderr.decode("utf-8", "replace")).strip() or "cannot be installed"
    verify: list[str | Path] = [uv, "pip", "check", *quiet, "--python", venv / "bin/python"]
    done = process.run(verify, env=image_lock.environment(), check=False)
    return redact(done.stderr.decode("utf-8", "replace")).strip() if done.status else ""


def _dag_folder(root: Path, known: Facts) -> Path | None:
    return root / known.build.dags if known.build.dags is not None else None


def _looked(folder: Path, known: Facts, dags: Path | None, not_read: list[NotRead]) -> Result:
    exists = dags is not None and dags.is_dir()
    argv: list[str | Path] = [folder / "venv/bin/python", "-I", Path(probe.__file__)]
    done = process.run(
        [*argv, *([dags] if exists and dags is not None else [])],
        cwd=folder, env=_clean(folder), timeout=_LOOK, check=False,
    )  # fmt: skip
    installed = f"{len(lock.versions((folder / 'requirements.lock').read_bytes()))} packages"
    try:
        found = json.loads(done.stdout)
    except ValueError:
        words = redact(done.stderr.decode("utf-8", "replace")).strip().splitlines()[-3:]
        return Result((installed,), ("Airflow cannot be looked at:\n" + "\n".join(words),),
                      tuple(not_read))  # fmt: skip
    faults = [f"{name} cannot be imported: {text}" for name, text in found["imports"].items()]
    faults += [f"{name} is {text}" for name, text in found["floors"].items()]
    checked = [installed, f"imports of {', '.join(found['components'])}",
               "provider versions that Airflow's extras ask for"]  # fmt: skip
    if dags is not None and not exists:
        faults.append(
            f"{known.build.dags} not found: image.build.dags is a folder of the repository"
        )
    if found["dags"]:
        faults += [f"{known.build.dags}/{name}: {text}" for name, text in
                   sorted(found["dags"]["errors"].items())]  # fmt: skip
        faults += [f"DAGs cannot be read: {found['dags']['fault']}"] * bool(found["dags"]["fault"])
        checked.append(f"imports of {counted(found['dags']['count'], 'DAG')}")
    return Result(tuple(checked), tuple(map(redact, faults)), tuple(sorted(not_read)))


def _clean(folder: Path) -> dict[str, str]:
    """The variables of the child: none of the user's, whose secrets imported code need not see."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = folder / "home"
    home.mkdir()
    return {
        **kept, "HOME": str(home), "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
