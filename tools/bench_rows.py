"""What `make bench` measures: commands in repositories, and Helm's own command beside them."""

import datetime
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.cluster import programs
from tests.standin_chart import stand_in_archive
from tools.bench_cost import PAGE, measure
from tools.bench_repository import CHART, STAGES, build

# Seconds for which what Helm took says how fast the machine is.
_FRESH = 20.0
COMMAND = Path(sys.executable).with_name("gen-env")


def _nothing():
    pass


class Row(NamedTuple):
    """One thing to measure: a command in a folder, and what puts the folder into its state."""

    name: str
    folder: Path
    command: list[str | Path]
    renders: int = 0
    before: Callable[[], object] = _nothing
    after: Callable[[], object] = _nothing
    dear: bool = False
    """Takes minutes: once tells enough."""
    statuses: tuple[int, ...] = (0,)


class Bench:
    """Folders, caches and programs of one run, and the rows that can be measured in them."""

    def __init__(self, folder):
        self.folder = folder
        self.env = _environment(folder)
        self.helm = programs.find("helm")
        self.archive, self.chart = _chart(self.env, folder)
        self._of_helm = {}

    def machine(self):
        """One line on where and when this runs."""
        memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
        helm = "no helm"
        if self.helm is not None:
            done = subprocess.run([self.helm, "version", "--short"], capture_output=True, text=True)
            helm = f"helm {done.stdout.strip()}"
        return (
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores"
            f" ({_processor()}), {memory:.0f} GiB, Python {platform.python_version()},"
            f" {helm}, {self.chart} chart {CHART}, load average {load()}\n"
        )

    def helm_seconds(self, row):
        """CPU seconds of `helm template` for as many renders as a row needs; None without Helm."""
        if self.helm is None:
            return None
        stages = STAGES if row.renders > 2 else STAGES[:1]
        moment, seconds = self._of_helm.get(stages, (-_FRESH, 0.0))
        if time.monotonic() - moment > _FRESH:
            seconds = self._helm_once(stages)
            self._of_helm[stages] = (time.monotonic(), seconds)
        return seconds / len(stages) * max(row.renders, 1)

    def _helm_once(self, stages):
        files = " ".join(f"environments/team000/{stage}/generated/values.yaml" for stage in stages)
        options = f"airflow {self.archive} --namespace airflow"
        loop = f"for file in {files}; do {self.helm} template {options} -f $file; done"
        return measure(["sh", "-ec", loop], self._repository(len(STAGES)), self.env).cpu

    def small(self):
        """Rows for a repository of one team."""
        one = self._repository(len(STAGES))
        return [
            *self._generation(one, len(STAGES)),
            *self._difference(one, 1, len(STAGES)),
            *self._validation(one, len(STAGES)),
            *self._file(one),
        ]

    def all(self, count, diffs):
        """Rows for repositories of twenty and of `count` environments."""
        many, twenty = self._repository(count), self._repository(20)
        rows = [Row("gen-env --help", many, [COMMAND, "--help"]), *self._generation(many, count)]
        for changed in diffs:
            rows += self._difference(many, changed, count)
        rows += self._difference(twenty, 10, 20)
        return [*rows, *self._validation(twenty, 20), *self._file(twenty)]

    def _repository(self, count):
        """A repository in git with all that is generated; made once."""
        folder = self.folder / f"repository-{count}"
        if not folder.is_dir():
            build(folder, count)
            measure([COMMAND, "generate"], folder, self.env)  # compiles what it imports
            _git(folder, self.env, "init", "--quiet", "--initial-branch=main")
            _git(folder, self.env, "add", "--all")
            _git(folder, self.env, "commit", "--quiet", "--message=All")
        return folder

    def _generation(self, folder, count):
        generate = [COMMAND, "generate"]
        return [
            Row(f"generate, {count} from nothing", folder, generate, 0, lambda: _clear(folder)),
            Row(f"generate --check, {count} unchanged", folder, [*generate, "--check"]),
        ]

    def _difference(self, folder, changed, count):
        command = [COMMAND, "diff", "HEAD", "-o", "json"]
        what, renders = f"diff, {changed} of {count} changed", 2 * changed

        def change():
            for path in sorted(folder.glob("environments/*/*/environment.yaml"))[:changed]:
                text = path.read_text(encoding="utf-8")
                path.write_text(text.replace("3.2.2-r17", "3.2.2-r18"), encoding="utf-8")

        def cold():
            change()
            self._forget()

        def undo():
            _git(folder, self.env, "checkout", "--quiet", "--", ".")

        dear = changed > 20
        first = Row(f"{what}, cold", folder, command, renders, cold, undo, dear)
        return [first, first._replace(name=f"{what}, renders kept", before=change)]

    def _validation(self, folder, count):
        # It finds secrets that nobody has sealed.
        cold = Row(
            f"validate {count}, cold",
            folder,
            [COMMAND, "validate", "-o", "json"],
            count,
            self._forget,
            statuses=(0, 1),
        )
        return [cold, cold._replace(name=f"validate {count}, renders kept", before=_nothing)]

    def _file(self, folder):
        file = "environments/team000/production/generated/values.yaml"
        command = [COMMAND, "check", file, "-o", "json"]
        cold = Row("check FILE, cold", folder, command, 1, self._forget)
        return [cold, cold._replace(name="check FILE, render kept", before=_nothing)]

    def _forget(self):
        shutil.rmtree(self.folder / "renders", ignore_errors=True)


def _environment(folder):
    """Caches, home and git identity of the bench alone."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # An installed package comes compiled.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env |= {
        "HOME": str(folder / "home"),
        "GEN_ENV_OFFLINE": "1",
        "GEN_ENV_RENDER_CACHE": str(folder / "renders"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "Bench", f"GIT_{role}_EMAIL": "bench@example.com"}
    given = os.environ.get("GEN_ENV_CHART_CACHE") or "~/.cache/gen-env/charts"
    env["GEN_ENV_CHART_CACHE"] = str(Path(given).expanduser())
    return env


def _chart(env, folder):
    """The official chart from this machine's cache, or the stand-in in a cache of its own."""
    cache = Path(env["GEN_ENV_CHART_CACHE"])
    found = [*cache.glob(f"airflow-{CHART}*.tgz"), *cache.glob(f"airflow-{CHART}/*.tgz")]
    if found:
        return found[0], "official"
    env["GEN_ENV_CHART_CACHE"] = str(folder / "charts")
    archive = stand_in_archive(folder)
    subprocess.run([COMMAND, "chart", "add", archive], env=env, check=True, capture_output=True)
    return archive, "stand-in"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def load():
    return " ".join(f"{number:.1f}" for number in os.getloadavg())


def _clear(repository):
    """Take away all that gen-env has generated."""
    for path in _made(repository):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _made(repository):
    yield from (repository / name for name in (".gen-env", "bootstrap"))
    for definition in repository.glob("environments/*/*/environment.yaml"):
        yield from (item for item in definition.parent.iterdir() if item != definition)


def _git(folder, env, *words):
    subprocess.run(["git", *words], cwd=folder, env=env, check=True)
