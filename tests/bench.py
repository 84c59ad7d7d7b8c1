"""`make bench`: seconds and peak memory of the commands that people wait for."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("gen-env")
COUNT = int(os.environ.get("GEN_ENV_BENCH_ENVIRONMENTS", "200"))
REPEATS = int(os.environ.get("GEN_ENV_BENCH_REPEATS", "3"))
SETTINGS = """\
apiVersion: gen-env.dev/v1
kind: Repository
clusters:
  main:
    server: https://10.0.0.1:6443
    kubernetesVersion: 1.34.2
    apiVersions: [keda.sh/v1alpha1]
"""
DEFINITION = """\
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {{name: e{number}, tier: staging}}
destination: {{cluster: main}}
airflow: {{version: 3.2.2}}
chart: {{version: 1.22.0}}
database: {{type: postgresql, host: pg{number}.example.com}}
dags: {{gitSync: {{repository: "https://git.example.com/dags.git", ref: main}}}}
scheduler: {{replicas: 1}}
workers: {{autoscaling: {{type: keda, minReplicas: 1, maxReplicas: 10}}}}
"""


def main():
    """Measure on a repository of its own; print a table with machine, date and command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {
            **os.environ,
            **_identity(),
            "GEN_ENV_OFFLINE": "1",
            "GEN_ENV_RENDER_CACHE": str(folder / "renders"),
        }
        chart = _chart(folder, env)
        print(
            f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, Python "
            f"{platform.python_version()}, {COUNT} environments, {chart}; best of {REPEATS};"
            f" load {os.getloadavg()[0]:.1f}; make bench\n"
        )
        print("| what | seconds | peak memory MiB |\n| --- | --- | --- |")
        repository = folder / "repository"
        _show("gen-env --help", [_run(env, ROOT, "--help") for _ in range(REPEATS)])
        _generation(env, repository)
        _differences(env, repository, folder)
        _loop(env, repository, folder)


def _identity():
    return {
        f"GIT_{role}_{part}": "bench"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }


def _chart(folder, env):
    listed = subprocess.run(
        [COMMAND, "chart", "list"], env=env, text=True, capture_output=True, check=True
    ).stdout
    if "1.22.0" in listed:
        return "the official chart 1.22.0"
    sys.path.insert(0, str(ROOT))
    from tests.charts_archive import stand_in_archive

    env["GEN_ENV_CHART_CACHE"] = str(folder / "charts")
    subprocess.run(
        [COMMAND, "chart", "add", stand_in_archive(folder)],
        env=env,
        check=True,
        capture_output=True,
    )
    return "the stand-in chart"


def _repository(folder):
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(COUNT):
        place = folder / "environments" / f"e{number}"
        place.mkdir(parents=True)
        (place / "environment.yaml").write_text(DEFINITION.format(number=number), "utf-8")
    (folder / "gen-env.yaml").write_text(SETTINGS, "utf-8")


def _generation(env, folder):
    rows = []
    for _ in range(REPEATS):
        _repository(folder)
        rows.append(_run(env, folder, "generate"))
    _show(f"generate, {COUNT} environments from nothing", rows)
    rows = [_run(env, folder, "generate", "--check") for _ in range(REPEATS)]
    _show(f"generate --check, {COUNT} environments, nothing to do", rows)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder, env=env, check=True)


def _differences(env, folder, scratch):
    for touched in sorted({1, min(10, COUNT), COUNT}):
        for number in range(touched):
            place = folder / "environments" / f"e{number}" / "environment.yaml"
            place.write_text(
                place.read_text("utf-8").replace("replicas: 1}", "replicas: 2}"), "utf-8"
            )
        shutil.rmtree(scratch / "renders", ignore_errors=True)
        cold = _run(env, folder, "diff", "-o", "json")
        _show(f"diff, {touched} of {COUNT} environments changed, cold", [cold])
        warm = [_run(env, folder, "diff", "-o", "json") for _ in range(REPEATS)]
        _show(f"diff, {touched} of {COUNT} environments changed, warm", warm)
        subprocess.run(["git", "checkout", "-q", "."], cwd=folder, env=env, check=True)


def _loop(env, folder, scratch):
    """The same renders by hand: helm template for base and head of ten environments."""
    helm = env.get("GEN_ENV_HELM") or shutil.which("helm")
    if helm is None:
        print("\nno helm binary here: the loop over helm template was not measured")
        return
    cache = Path(env.get("GEN_ENV_CHART_CACHE") or Path("~/.cache/gen-env/charts").expanduser())
    chart = next(iter(sorted(cache.rglob("airflow-1.22.0*.tgz"))))
    start = time.monotonic()
    for number in range(min(10, COUNT)):
        values = folder / "environments" / f"e{number}" / "generated" / "values.yaml"
        for _ in range(2):
            subprocess.run(
                [helm, "template", "airflow", chart, "-f", values], check=True, capture_output=True
            )
    print(
        f"| a loop over helm template, 10 environments, both sides |"
        f" {time.monotonic() - start:.2f} | |"
    )


def _run(env, folder, *arguments):
    """Seconds and the process' own peak memory in MiB, from a child that does nothing else."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
        "sys.stderr.buffer.write(done.stderr if done.returncode not in (0, 1) else b'')\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, COMMAND, *arguments],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    return time.monotonic() - start, int(done.stdout) / 1024


def _show(what, rows):
    seconds = min(row[0] for row in rows)
    print(f"| {what} | {seconds:.2f} | {max(row[1] for row in rows):.0f} |", flush=True)


if __name__ == "__main__":
    main()
