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
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.bench_cost import Cost, measure
from tools.bench_rows import Bench, load
from tools.table import table

ROOT = Path(__file__).resolve().parent.parent
RATIOS = Path(__file__).with_name("bench_ratios.json")
WORSE = 1.25
HEAD = ("what", "wall s", "CPU s", "MiB", "MiB with children", "renders", "CPU / helm's")


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
        print(f"load average at the end: {load()}")
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
    stored = json.loads(RATIOS.read_text(encoding="utf-8")).get(bench.chart)
    if stored is None:
        print(f"not compared: nothing is stored for the {bench.chart} chart")
        return 0
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


if __name__ == "__main__":
    main()
