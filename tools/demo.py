"""`make demo`: the main job as a user sees it, in a repository below build/demo."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "demo"
COMMAND = Path(sys.executable).with_name("gen-env")
CHART = "1.22.0"


def main():
    """Run each step, print what is typed and what it prints, end on the impact of one line."""
    for program in ("git",):
        if shutil.which(program) is None:
            sys.exit(f"the demo needs {program}")
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        _steps(_environment(Path(cache)))


def _environment(cache):
    """git identity for the demo alone, and a chart: the official one or our stand-in."""
    env = {
        **os.environ,
        **{
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", "gen-env demo"), ("EMAIL", "demo@example.com"))
        },
        "GEN_ENV_RENDER_CACHE": str(cache / "renders"),
    }
    env.pop("GEN_ENV_CRDS", None)
    listed = _quiet(env, "chart", "list")
    if CHART in listed.stdout:
        say(f"Chart: the official Airflow chart {CHART}, from this machine's cache.")
        return env
    pulled = _quiet(env, "chart", "pull", CHART)
    if pulled.returncode == 0:
        say(f"Chart: the official Airflow chart {CHART}, fetched from its repository.")
        return env
    sys.path.insert(0, str(ROOT))
    from tests.standin_chart import stand_in_archive

    env["GEN_ENV_CHART_CACHE"] = str(cache / "charts")
    _quiet(env, "chart", "add", str(stand_in_archive(cache)))
    say(
        f"Chart: gen-env's own STAND-IN for the official Airflow chart {CHART}, which cannot be\n"
        "had here (gen-env chart add FILE.tgz puts the real one into the cache)."
    )
    return env


def _steps(env):
    say("1. A GitOps repository and two environments: one command each, one commit each.")
    run(
        env,
        ROOT,
        "init",
        str(DEMO),
        "--url",
        "https://git.example.com/airflow-gitops.git",
        "--forge",
        "gitea",
        "--cluster",
        "main",
        "--server",
        "https://10.0.0.1:6443",
    )
    run(
        env,
        DEMO,
        "new",
        "dev",
        "--no-input",
        "--set",
        "dags.gitSync.repository=https://git.example.com/dags.git",
    )
    git(env, "switch", "--quiet", "main")
    git(env, "merge", "--quiet", "--ff-only", "new/dev")
    run(
        env,
        DEMO,
        "new",
        "staging",
        "--no-input",
        "--set",
        "database.host=pg.example.com",
        "--set",
        "dags.gitSync.repository=https://git.example.com/dags.git",
        "--set",
        "ingress.host=airflow.staging.example.com",
        "--set",
        "airflow.version=3.1.8",
    )
    git(env, "switch", "--quiet", "main")
    git(env, "merge", "--quiet", "--ff-only", "new/staging")

    say("2. Every check there is: definitions, chart values, rendered objects, secrets, policy.")
    run(env, DEMO, "validate", ok=(0, 1))

    say("3. What the cluster would be given.")
    rendered = run(env, DEMO, "render", "staging", show=False).stdout
    kinds = [
        line.removeprefix("kind: ") for line in rendered.splitlines() if line.startswith("kind: ")
    ]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    print(f"{len(kinds)} objects: {counted}")

    say("4. A trap, caught before it is merged: a dead executor that the chart renders happily.")
    values = DEMO / "values.yaml"
    values.write_text("executor: CeleryKubernetesExecutor\n", encoding="utf-8")
    run(env, DEMO, "check", "values.yaml", ok=(1,))
    values.unlink()

    say("5. One line changed, and what it will do to the cluster.")
    definition = DEMO / "environments/staging/environment.yaml"
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace("version: 3.1.8", "version: 3.2.2"), encoding="utf-8")
    print("--- airflow.version: 3.1.8\n+++ airflow.version: 3.2.2")
    report = run(env, DEMO, "diff", show=False).stdout
    print(report.partition("\nChanges of ")[0].rstrip())
    definition.write_text(text, encoding="utf-8")

    say(
        f"Where to look next: {DEMO.relative_to(ROOT)}/environments/staging/environment.yaml\n"
        "(what "
        "people write), generated/ beside it (what Argo CD applies), gen-env explain staging,\n"
        "gen-env secrets staging, and docs/ in this project. gen-env-service demo shows the\n"
        "service with a forge and three pull requests."
    )


def say(text):
    """A heading."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def run(env, folder, *arguments, ok=(0,), show=True):
    """Run gen-env as a user would; the demo ends at once when it answers otherwise."""
    print("$ gen-env " + " ".join(_shown(item) for item in arguments), flush=True)
    done = subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=env, text=True, capture_output=True, check=False
    )
    if show or done.returncode not in ok:
        print(done.stdout, end="")
        print(done.stderr, end="", flush=True)
    if done.returncode not in ok:
        sys.exit(f"the demo expected exit code {ok}, not {done.returncode}")
    return done


def _shown(argument):
    relative = argument.replace(f"{ROOT}/", "")
    return f"'{relative}'" if " " in relative else relative


def _quiet(env, *arguments):
    return subprocess.run(
        [COMMAND, *arguments], cwd=ROOT, env=env, text=True, capture_output=True, check=False
    )


def git(env, *arguments):
    """Run git in the demo's repository."""
    subprocess.run(["git", *arguments], cwd=DEMO, env=env, check=True)


if __name__ == "__main__":
    main()
