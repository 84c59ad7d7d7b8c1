"""`make bench`: how long gen-env takes, and how much memory, beside Helm's own command.

Prints a table with the machine, the date and the load; docs/performance.md records one. Every
number is that of a real process. All rows and `helm template` run in turn, round after round; a
row shows the medians, and the median of its ratio to Helm in the same round: CPU time over that
of `helm template` for the renders that the row needs (for one, where it needs none). CPU time is
what a busy machine changes least. The load of the service is measured by tools/bench_load.py.

`make bench-check` measures a small repository so, and fails where a ratio is worse by a quarter
than the one in tools/bench_ratios.json (`python -m tools.bench --small --store` writes it).
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.cluster import programs
from tests.standin_chart import stand_in_archive
from tools.bench_cost import PAGE, Cost, measure
from tools.bench_repository import CHART, STAGES, build
from tools.table import table

ROOT = Path(__file__).resolve().parent.parent
RATIOS = Path(__file__).with_name("bench_ratios.json")
COMMAND = Path(sys.executable).with_name("gen-env")
WORSE = 1.25
HEAD = ("what", "wall s", "CPU s", "MiB", "MiB with children", "renders", "CPU / helm's")


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


def main():
    """Measure, print, and compare or store where that is asked for."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="gen-env-bench-") as name:
        bench = Bench(Path(name))
        print(bench.machine(), flush=True)
        if given.only in (None, "service") and not given.small:
            subprocess.run([sys.executable, "-m", "tools.bench_load"], cwd=ROOT, check=True)
        if given.only == "service":
            return
        rows = bench.small() if given.small else bench.all(given.environments, given.diffs)
        measured = Measured(bench, rows)
        measured.run(given.repeat)
        print(measured.table(), flush=True)
        print(f"load average at the end: {_load()}")
        if given.store:
            store(RATIOS, bench.chart, measured.ratios())
        if given.check:
            sys.exit(check(bench, measured, given.repeat))


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["generator", "service"], help="one part of it")
    parser.add_argument("--environments", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the medians count")
    parser.add_argument("--diffs", type=int, nargs="*", default=[1, 200], metavar="N")
    parser.add_argument("--small", action="store_true", help="a small repository, few rows")
    parser.add_argument("--check", action="store_true", help="compare with the stored ratios")
    parser.add_argument("--store", action="store_true", help="store the ratios")
    return parser.parse_args()


def check(bench, measured, repeat):
    """The exit status: what is worse is measured once more before it counts."""
    if bench.helm is None:
        print("not compared: no helm on PATH, and GEN_ENV_HELM is not set")
        return 0
    stored = json.loads(RATIOS.read_text(encoding="utf-8"))[bench.chart]
    if faults := worse(stored, measured.ratios()):
        names = [name for name in faults if name in measured.costs]
        measured.run(repeat * 2, names)
        faults = worse(stored, measured.ratios())
    for fault in faults.values():
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def worse(stored, measured):
    """By row, how it got slower by a quarter or more; rows that only one of both has, too."""
    found = {
        name: f"{name}: not in both the stored ratios and this run"
        for name in stored.keys() ^ measured.keys()
    }
    for name in stored.keys() & measured.keys():
        if measured[name] > stored[name] * WORSE:
            found[name] = (
                f"{name}: {measured[name]:.3g} times the CPU time of helm template,"
                f" {stored[name]:.3g} is stored: {measured[name] / stored[name] - 1:.0%} more"
            )
    return found


def store(path, chart, ratios):
    """Keep the ratios for a chart; those for another stay."""
    every = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    every[chart] = {name: float(f"{ratio:.3g}") for name, ratio in ratios.items()}
    path.write_text(json.dumps(every, indent=2, sort_keys=True) + "\n", encoding="utf-8")


class Measured:
    """The costs of all rows, and of Helm beside them, round by round."""

    def __init__(self, bench, rows):
        self._bench = bench
        self._rows = rows
        self.costs: dict[str, list[Cost]] = {row.name: [] for row in rows}
        self._shares: dict[str, list[float]] = {row.name: [] for row in rows}

    def run(self, rounds, names=None):
        """More rounds, of all rows or of some; what was measured of these before is dropped."""
        rows = [row for row in self._rows if names is None or row.name in names]
        for row in rows:
            self.costs[row.name], self._shares[row.name] = [], []
        for number in range(rounds):
            for row in rows:
                if not (row.dear and number):
                    self._once(row)

    def _once(self, row):
        row.before()
        cost = measure(row.command, row.folder, self._bench.env, row.statuses)
        row.after()
        self.costs[row.name].append(cost)
        if (helm := self._bench.helm_seconds(row)) is not None:
            self._shares[row.name].append(cost.cpu / helm)

    def ratios(self):
        """By row, the median of its CPU time over Helm's; none where there is no Helm."""
        return {name: statistics.median(found) for name, found in self._shares.items() if found}

    def table(self):
        """The medians of every row."""
        ratios = self.ratios()
        cells = []
        for row in self._rows:
            cost = Cost(*map(statistics.median, zip(*self.costs[row.name], strict=True)))
            ratio = f"{ratios[row.name]:.2f}" if row.name in ratios else "-"
            numbers = [f"{cost.wall:.2f}", f"{cost.cpu:.2f}"]
            numbers += [f"{cost.own:.0f}", f"{cost.together:.0f}", str(row.renders or "-"), ratio]
            cells.append([row.name, *numbers])
        return table(list(HEAD), cells)


class Bench:
    """Folders, caches and programs of one run, and the rows that can be measured in them."""

    def __init__(self, folder):
        self.folder = folder
        self.env = _environment(folder)
        self.helm = programs.find("helm")
        self.archive, self.chart = _chart(self.env, folder)

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
            f" {helm}, {self.chart} chart {CHART}, load average {_load()}\n"
        )

    def helm_seconds(self, row):
        """CPU seconds of `helm template` for as many renders as a row needs; None without Helm."""
        if self.helm is None:
            return None
        stages = STAGES if row.renders > 2 else STAGES[:1]
        files = " ".join(f"environments/team000/{stage}/generated/values.yaml" for stage in stages)
        options = f"airflow {self.archive} --namespace airflow"
        loop = f"for file in {files}; do {self.helm} template {options} -f $file; done"
        cost = measure(["sh", "-ec", loop], self._repository(len(STAGES)), self.env)
        return cost.cpu / len(stages) * max(row.renders, 1)

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
    # An installed package comes compiled; a checkout under PYTHONDONTWRITEBYTECODE does not.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env |= {
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
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


def _load():
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


if __name__ == "__main__":
    main()
