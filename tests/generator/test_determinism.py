"""The same tree, whatever the machine it is generated on is set to."""

import os
import subprocess
import sys

from tests.repositories import DEV, PRODUCTION, STAGING, repository

MACHINES = (
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "umask": 0o022},
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "4711", "umask": 0o077},
)


def tree(folder, machine):
    """Generate with the command; content and mode of every file."""
    repo = repository(folder / "repo", dev=DEV, staging=STAGING, production=PRODUCTION)
    wanted = {key: value for key, value in machine.items() if key != "umask"}
    subprocess.run(
        [sys.executable, "-c", "from generator.cli.main import run; run()", "generate"],
        cwd=repo.root,
        env={**os.environ, **wanted, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
        umask=machine["umask"],
        check=True,
        capture_output=True,
    )
    made = [path for path in sorted(repo.root.rglob("*")) if path.is_file()]
    return {
        path.relative_to(repo.root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in made
        if "generated" in path.parts or path.name == "gen-env.lock" or "secrets" in path.parts
    }


def test_time_zone_locale_hash_seed_and_umask_change_nothing(tmp_path):
    first, second = (tree(tmp_path / str(n), machine) for n, machine in enumerate(MACHINES))
    assert len(first) > 20
    assert first == second
