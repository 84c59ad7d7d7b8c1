"""`make bench`: how long gen-env takes, and how much memory, on a repository of many environments.

Prints a table with the machine, the date and the command of each row; docs/performance.md records
one. Every number is that of a real process: wall time (the best of several runs), CPU time with
all children, peak memory of gen-env itself and of it with its children at one moment. The load of
the service is measured by tools/bench_load.py.
"""

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generator.yaml.writer import dump  # noqa: E402
from tests.standin_chart import stand_in_archive  # noqa: E402

COMMAND = Path(sys.executable).with_name("gen-env")
CHART = "1.22.0"
STAGES = ("dev", "qa", "staging", "preprod", "production")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """What one run took: seconds of wall and CPU time, MiB of gen-env alone and of all together."""

    wall: float
    cpu: float
    own: float
    together: float


def main():
    """Build the repository, measure, print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gen-env-bench-") as name:
        folder = Path(name)
        env = _environment(folder)
        chart, which = _chart(env, folder)
        print(_machine(arguments.environments, which), flush=True)
        if arguments.only in (None, "service"):
            subprocess.run([sys.executable, "-m", "tools.bench_load"], cwd=ROOT, check=True)
        if arguments.only == "service":
            return
        repository = folder / "repository"
        build(repository, arguments.environments)
        _table()
        _generation(arguments, repository, env)
        _differences(arguments, repository, env, folder)
        _helm(arguments, repository, env, chart)
        print(f"\nload average at the end: {_load()}")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["generator", "service"], help="one part of it")
    parser.add_argument("--environments", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the best counts")
    parser.add_argument("--diffs", type=int, nargs="*", default=[1, 10, 200], metavar="N")
    return parser.parse_args()


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


def _machine(count, which):
    memory = os.sysconf("SC_PHYS_PAGES") * _PAGE / 2**30
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores"
        f" ({_processor()}), {memory:.0f} GiB, Python {platform.python_version()},"
        f" {which} chart {CHART}, {count} environments, load average {_load()}\n"
    )


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _load():
    return " ".join(f"{number:.1f}" for number in os.getloadavg())


def build(folder, count):
    """A repository of teams with five stages each, as gen-env's users would write them."""
    files = {"gen-env.yaml": dump(_settings())}
    for number in range(count):
        team, stage = f"team{number // len(STAGES):03}", STAGES[number % len(STAGES)]
        path = f"environments/{team}/{stage}/environment.yaml"
        files[path] = dump(_definition(team, stage))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _settings():
    cluster = {
        "server": "https://10.0.0.1:6443",
        "kubernetesVersion": "1.34.2",
        "apiVersions": ["keda.sh/v1alpha1", "monitoring.coreos.com/v1"],
        "apiServerCidrs": ["10.0.0.0/28"],
        "ingress": {"className": "nginx", "namespace": "ingress-nginx"},
        "monitoring": {"namespace": "monitoring", "labels": {"release": "prometheus"}},
    }
    return {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Repository",
        "repository": {"url": "https://git.example.com/airflow-gitops.git"},
        "argocd": {"project": {"manage": True, "name": "airflow-{team}"}},
        "clusters": {"main": cluster},
    }


def _definition(team, stage):
    tier = {"dev": "development", "production": "production"}.get(stage, "staging")
    host = f"{stage}.{team}.example.com"
    common = {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Environment",
        "metadata": {"name": stage, "team": team, "tier": tier},
        "destination": {"cluster": "main"},
        "airflow": {"version": "3.2.2", "config": {"core": {"parallelism": "64"}}},
        "chart": {"version": CHART},
        "image": {"repository": "registry.example.com/airflow", "tag": "3.2.2-r17"},
        "dags": {
            "gitSync": {
                "repository": f"git@git.example.com:{team}/dags.git",
                "ref": "4c1f0b7e2d9a8c6b5f3e1d0a9b8c7d6e5f4a3b2c",
                "subPath": "dags",
            }
        },
    }
    if tier == "development":
        return {**common, "database": {"type": "postgresql", "embedded": True}}
    return {
        **common,
        "auth": {"oidc": {"issuer": "https://id.example.com", "clientId": team}},
        "database": {"type": "postgresql", "host": f"pg.{host}", "cidrs": ["10.20.0.0/24"]},
        "pgbouncer": {"replicas": 2, "maxClientConnections": 1000},
        "apiServer": {"replicas": 2},
        "scheduler": {"replicas": 2},
        "workers": {"autoscaling": {"type": "keda", "minReplicas": 2, "maxReplicas": 20}},
        "logging": {"remote": {"type": "s3", "url": f"s3://logs/{team}/{stage}"}},
        "metrics": {"type": "statsd", "serviceMonitor": True},
        "ingress": {"host": f"airflow.{host}", "tls": {"clusterIssuer": "letsencrypt"}},
        "networkPolicy": {
            "mode": "enforce",
            "peers": {
                "git": [{"cidr": "140.82.112.0/20"}],
                "logs": [{"cidr": "10.40.0.0/24"}],
                "identity": [{"cidr": "10.50.0.10/32"}],
            },
            "taskEgress": [{"cidr": "10.30.0.0/16", "ports": [443]}],
        },
    }


def _generation(arguments, repository, env):
    count, repeat = arguments.environments, arguments.repeat
    measure([COMMAND, "generate"], repository, env)  # compiles what it imports
    _row("gen-env --help", repeat, lambda: measure([COMMAND, "--help"], repository, env))

    def from_nothing():
        for path in _made(repository):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return measure([COMMAND, "generate"], repository, env)

    _row(f"generate, {count} from nothing", repeat, from_nothing)
    check = [COMMAND, "generate", "--check"]
    _row(f"generate --check, {count} unchanged", repeat, lambda: measure(check, repository, env))


def _made(repository):
    yield from (repository / name for name in (".gen-env", "bootstrap"))
    for definition in repository.glob("environments/*/*/environment.yaml"):
        yield from (item for item in definition.parent.iterdir() if item != definition)


def _differences(arguments, repository, env, folder):
    _git(repository, env, "init", "--quiet", "--initial-branch=main")
    _git(repository, env, "add", "--all")
    _git(repository, env, "commit", "--quiet", "--message=All")
    definitions = sorted(repository.glob("environments/*/*/environment.yaml"))
    command = [COMMAND, "diff", "HEAD", "-o", "json"]
    measure(command, repository, env)
    for count in arguments.diffs:
        for path in definitions[:count]:
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("3.2.2-r17", "3.2.2-r18"), encoding="utf-8")

        def cold():
            shutil.rmtree(folder / "renders", ignore_errors=True)
            return measure(command, repository, env)

        # The big one takes minutes; once tells enough.
        repeat = arguments.repeat if count <= 10 else 1
        _row(f"diff, {count} changed, nothing cached", repeat, cold)
        _row(f"diff, {count} changed, cached", repeat, lambda: measure(command, repository, env))
        _git(repository, env, "checkout", "--quiet", "--", ".")


def _helm(arguments, repository, env, chart):
    """What `helm template` takes for both sides of a change, one after the other."""
    helm = shutil.which(os.environ.get("GEN_ENV_HELM", "helm"))
    if helm is None:
        print("| `helm template` | not measured: no helm on PATH, and GEN_ENV_HELM is not set |")
        return
    values = sorted(repository.glob("environments/*/*/generated/values.yaml"))
    for count in arguments.diffs:
        words = " ".join(str(path) for path in values[:count])
        loop = (
            f"for side in base head; do for file in {words}; do"
            f" {helm} template airflow {chart} --namespace airflow --values $file >/dev/null;"
            " done; done"
        )
        _row(
            f"helm template, {count} environments, both sides",
            arguments.repeat if count <= 10 else 1,
            lambda loop=loop: measure(["sh", "-ec", loop], repository, env),
        )


def _git(folder, env, *words):
    subprocess.run(["git", *words], cwd=folder, env=env, check=True)


def _table():
    print("| what | wall s | CPU s | gen-env MiB | with children MiB |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)


def _row(what, repeat, run):
    best = min((run() for _ in range(repeat)), key=lambda cost: cost.wall)
    print(
        f"| {what} | {best.wall:.2f} | {best.cpu:.2f} | {best.own:.0f} | {best.together:.0f} |",
        flush=True,
    )


def measure(command, folder, env):
    """Run one command to its end; raises SystemExit where it fails."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=errors
        )
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        peak.done.set()
        peak.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            words = " ".join(str(word) for word in command[:4])
            sys.exit(f"{words} failed:\n{errors.read().decode()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, peak.own / 2**20, peak.together / 2**20)


class _Peak(threading.Thread):
    """Looks at a process and its children all the time, and keeps the largest memory it saw."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.done = threading.Event()
        self.own = self.together = 0

    def run(self):
        while not self.done.wait(0.01):
            own = _resident(self.pid)
            self.own = max(self.own, own)
            self.together = max(self.together, own + sum(map(_resident, _below(self.pid))))


def _resident(pid):
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE


def _below(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found += [int(child), *_below(int(child))]
    return found


if __name__ == "__main__":
    main()
