"""`make screenshots`: the pictures of the docs, taken by a browser of what gen-env really prints.

Needs the official chart in the cache and chromium (or GEN_ENV_BROWSER).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "assets" / "report.png"
COMMAND = Path(sys.executable).with_name("gen-env")
# The sample for production as it may have been before an upgrade.
BEFORE = (
    ("version: 3.3.2, executor", "version: 3.2.2, executor"),
    ("tag: 3.3.2-r17", "tag: 3.2.2-r9"),
    ("digest: sha256:9f2c3b1d", "digest: sha256:0a1b2c3d"),
)
LARGEST = 150_000


def main():
    """Take every picture again."""
    with tempfile.TemporaryDirectory() as place:
        repository = Path(place, "airflow-gitops")
        _before(repository)
        definition = "environments/production/environment.yaml"
        shutil.copy(ROOT / definition, repository / definition)
        _run(repository, COMMAND, "generate", "production")
        page = Path(place, "report.html")
        page.write_text(_run(repository, COMMAND, "diff", "HEAD", "-o", "html"), "utf-8")
        _picture(page, REPORT, "1100,680")
    if REPORT.stat().st_size > LARGEST:
        sys.exit(f"{REPORT} is larger than {LARGEST:,} bytes")


def _before(repository):
    for name in ("environments", ".gen-env", "bootstrap"):
        shutil.copytree(ROOT / name, repository / name)
    shutil.copy(ROOT / "gen-env.yaml", repository)
    definition = repository / "environments/production/environment.yaml"
    text = definition.read_text("utf-8")
    for new, old in BEFORE:
        assert text.count(new) == 1, new
        text = text.replace(new, old)
    definition.write_text(text, "utf-8")
    _run(repository, COMMAND, "generate", "production")
    _run(repository, "git", "init", "--quiet", "--initial-branch=main")
    _run(repository, "git", "add", "--all")
    _run(repository, "git", "commit", "--quiet", "--message", "Before the upgrade")


def _run(folder, *words):
    who = {f"GIT_{role}_{part}": f"demo@{part}" for role in ("AUTHOR", "COMMITTER")
           for part in ("NAME", "EMAIL")}  # fmt: skip
    when = {f"GIT_{role}_DATE": "2026-01-05T09:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    return subprocess.run(
        words, cwd=folder, env={**os.environ, **who, **when}, check=True, text=True,
        stdout=subprocess.PIPE,
    ).stdout  # fmt: skip


def _picture(page, target, size):
    browser = os.environ.get("GEN_ENV_BROWSER", "chromium")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--window-size={size}", f"--screenshot={target}", page.as_uri()],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


if __name__ == "__main__":
    main()
