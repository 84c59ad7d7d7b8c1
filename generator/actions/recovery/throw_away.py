"""A PostgreSQL server that a rehearsal starts and stops, and the Airflow that runs on it."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from generator.actions import image_lock
from generator.airflow import migrations
from generator.core import process
from generator.core.errors import UserError
from generator.image_build import requirements
from generator.redaction.text import redact

_INSTALL, _START, _END = 1800.0, 0.2, 30.0
_NOBODY = 65534
_NOT_FOUND = 127
"""How rehearse.sh ends without a server's programs; the shell ends so without any other."""
# sun_path of a socket's address holds 107 bytes.
_PATH = 107 - len("/.s.PGSQL.5432")


def script(name: str) -> Path:
    """The path of a script that the Jobs have too."""
    place = importlib.resources.files("generator.manifests").joinpath("scripts", name)
    return Path(str(place))


@contextlib.contextmanager
def server(dump: IO[bytes], work: Path | None) -> Iterator[Path]:
    """The folder with the socket of a server that holds the dump; nothing of it stays.

    Raises UserError with the last words of the script where it cannot be restored.
    """
    if work is not None and not work.is_dir():
        raise UserError("folder not found", path=str(work), hint="--work DIR")
    with (
        tempfile.TemporaryDirectory(prefix="gen-env-", dir=work) as name,
        tempfile.TemporaryFile() as log,
    ):
        folder = Path(name).resolve()
        if len(os.fsencode(folder)) > _PATH:
            raise UserError("the path is too long for a socket", path=name, hint="--work DIR")
        child = _started(folder, dump, log)
        try:
            yield _ready(child, folder, log)
        finally:
            (folder / "done").touch()
            # Before `ready` the script waits for a program, and looks at nothing.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_END if (folder / "ready").exists() else 0)
            process.end_group(child)


def _started(folder: Path, dump: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """PostgreSQL refuses to run as root: nobody runs it then."""
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        options = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    variables = {**kept, "HOME": str(folder), "TMPDIR": str(folder), "WORK": str(folder),
                 "STDIN": "1", "WATCHED": str(os.getpid())}  # fmt: skip
    bash = shutil.which("bash")
    if bash is None:
        raise UserError("bash not found")
    # The folder of an installation may be closed to nobody.
    scripts = folder / "scripts"
    shutil.copytree(script("rehearse.sh").parent, scripts, ignore=shutil.ignore_patterns("__*"))
    for path in (scripts, *scripts.iterdir()):
        path.chmod(0o755)
    return subprocess.Popen(
        [bash, str(scripts / "rehearse.sh")], env=variables, cwd=folder, stdin=dump,
        stdout=log, stderr=log, start_new_session=True, **options,
    )  # fmt: skip


def _ready(child: subprocess.Popen[bytes], folder: Path, log: IO[bytes]) -> Path:
    while not (folder / "ready").exists():
        if child.poll() is not None:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            words = lines[-1].removeprefix("rehearsal failed: ") if lines else "no server"
            missing = child.returncode == _NOT_FOUND
            hint = "install PostgreSQL's server (Debian: postgresql)" if missing else ""
            raise UserError(redact(words), hint=hint)
        time.sleep(_START)
    return folder


@contextlib.contextmanager
def opened(path: Path, identity: Path | None) -> Iterator[IO[bytes]]:
    """The bytes of a dump; `age` opens what is encrypted. Raises UserError."""
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", path=str(path)) from None
    with file:
        if not file.read(22).startswith(b"age-encryption.org/v1"):
            file.seek(0)
            yield file
            return
        if identity is None:
            raise UserError("the dump is encrypted", path=str(path), hint="give --identity FILE")
        yield from _decrypted(path, identity)


def _decrypted(path: Path, identity: Path) -> Iterator[IO[bytes]]:
    age = shutil.which("age")
    if age is None:
        raise UserError("age not found: it opens the dump", hint="install age (Debian: age)")
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [age, "--decrypt", "-i", str(identity), str(path)],
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert child.stdout is not None
        try:
            yield child.stdout
        except UserError as error:
            child.stdout.close()
            if child.wait(30) > 0:
                errors.seek(0)
                words = redact(errors.read().decode("utf-8", "replace")).strip().splitlines()
                reason = words[0] if words else "it does not open"
                raise UserError(f"cannot decrypt: {reason}", path=str(path)) from None
            raise error
        finally:
            child.stdout.close()
            child.terminate()
            child.wait(30)


def airflow(version: str, providers: Mapping[str, str], cache: Path) -> Path:
    """A Python with that Airflow, made with uv and kept. Raises UserError without uv or index."""
    uv, day = image_lock.uv(), migrations.published(version)
    if not day:
        raise UserError(
            f"the release day of Airflow {version} is not known: its packages cannot be bounded",
            hint="give --python FILE: an interpreter that has this Airflow",
        )
    packages = [f"apache-airflow=={version}", "psycopg2-binary", "asyncpg"]
    packages += [f"apache-airflow-providers-{name}=={number}" for name, number in providers.items()]
    named = "-".join(f"{name}{number}" for name, number in sorted(providers.items()))
    folder = cache / f"{version}-{named or 'plain'}"
    python = folder / "bin/python"
    if (folder / "complete").exists() and python.exists():
        return python
    until = requirements.end_of(day).strftime("%Y-%m-%dT%H:%M:%SZ")
    quiet = ("--quiet", "--no-config")
    cache.mkdir(parents=True, exist_ok=True)
    for command in (
        [uv, "venv", *quiet, "--no-project", "--clear", str(folder)],
        [
            uv,
            "pip",
            "install",
            *quiet,
            "--exclude-newer",
            until,
            "--python",
            str(python),
            *packages,
        ],
    ):
        done = process.run(command, env=image_lock.environment(), timeout=_INSTALL, check=False)
        if done.status:
            words = redact(done.stderr.decode("utf-8", "replace")).strip()
            raise UserError(
                f"cannot install Airflow {version}:\n{words}",
                hint="give --python FILE: an interpreter that has this Airflow",
            )
    (folder / "complete").touch()
    return python


def target(python: Path, providers: Sequence[str]) -> Mapping[str, Any]:
    """The Airflow and providers of an interpreter. Raises UserError."""
    command: list[str | Path] = [python, "-I", script("rehearse.py"), "--target", *providers]
    done = process.run(command, env=_clean(Path(tempfile.gettempdir())), check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    except ValueError:
        message = "this interpreter has no Airflow"
        raise UserError(message, path=str(python), hint="--python VENV/bin/python") from None


def measured(
    python: Path, folder: Path, spec: Mapping[str, Any], progress: Callable[[str], None]
) -> bytes:
    """What `rehearse.py` prints; its own and Airflow's words go to a file until they matter."""
    with tempfile.TemporaryDirectory(prefix="gen-env-airflow-") as name:
        home = Path(name)
        place = home / "spec.json"
        place.write_text(json.dumps({**spec, "folder": str(folder)}), "utf-8")
        with (home / "log").open("wb") as log:
            child = subprocess.Popen(
                [str(python), "-I", str(script("rehearse.py")), str(place)],
                env=_clean(home), cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, start_new_session=True,
            )  # fmt: skip
            output = _followed(child, home / "log", progress)
        words = _last((home / "log").read_text("utf-8", "replace").splitlines())
    if child.returncode:
        raise UserError(redact(f"the rehearsal ended: {words}"))
    return output


def _followed(child: subprocess.Popen[bytes], log: Path, progress: Callable[[str], None]) -> bytes:
    """Standard output to its end; each command is named as it begins."""
    shown = 0
    try:
        while True:
            try:
                return child.communicate(timeout=1)[0]
            except subprocess.TimeoutExpired:
                text = log.read_text("utf-8", "replace").splitlines()
                lines = [item for item in text if item.startswith("running airflow")]
                for line in lines[shown:]:
                    progress(line)
                shown = len(lines)
    except BaseException:
        process.end_group(child)
        raise


def _last(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "no words")


def _clean(home: Path) -> dict[str, str]:
    """None of the user's variables: one of them may name the production's database."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "REHEARSAL_HOME": str(home)}
