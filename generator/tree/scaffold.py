"""New repositories and environments from the cookiecutter templates that gen-env ships."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import generator
from generator.core.errors import UserError


def templates() -> Path:
    """The templates: inside the installed package, or beside it in the source tree."""
    package = Path(generator.__file__).parent
    for place in (package / "templates", package.parent / "templates"):
        if (place / "environment" / "cookiecutter.json").is_file():
            return place
    raise UserError("gen-env's templates are missing", hint="install gen-env again")


def bake(template: str, answers: Mapping[str, str]) -> dict[str, bytes]:
    """Bake a template and return its files by path; nothing of the user's is touched.

    cookiecutter reads and writes below the home folder, so a temporary folder is its home for
    that time; the templates have no hooks.
    """
    for answer in answers.values():
        if any(mark in answer for mark in ("{{", "{%", "{#")):
            # cookiecutter would run it as a template.
            raise UserError("an answer holds {{, {% or {#", hint="write the value itself")
    with tempfile.TemporaryDirectory(prefix="gen-env-") as name, _home(Path(name)):
        from cookiecutter.main import cookiecutter

        folder = Path(
            cookiecutter(
                str(templates() / template),
                no_input=True,
                extra_context={**answers, "folder": "baked"},
                output_dir=name,
                accept_hooks=False,
            )
        )
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("HOME", "COOKIECUTTER_CONFIG")}
    config = folder / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {folder}/c\nreplay_dir: {folder}/r\n", encoding="utf-8")
    os.environ["HOME"] = str(folder)
    os.environ["COOKIECUTTER_CONFIG"] = str(config)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_CHECKS = {
    "github": {"ci/github/gen-env.yml": ".github/workflows/gen-env.yml"},
    "gitea": {"ci/github/gen-env.yml": ".gitea/workflows/gen-env.yml"},
    "forgejo": {"ci/github/gen-env.yml": ".forgejo/workflows/gen-env.yml"},
    "gitlab": {"ci/gitlab/.gitlab-ci.yml": ".gitlab-ci.yml"},
}


def checks(forge: str) -> tuple[str, ...]:
    """Where a forge looks for the check that `repository` gives it; nothing for no forge."""
    return tuple(_CHECKS.get(forge, {}).values())


def repository(answers: Mapping[str, str]) -> dict[str, bytes]:
    """The files of a new repository, with the CI check of its forge where that forge looks."""
    places = _CHECKS.get(answers.get("forge", "github"), {})
    files: dict[str, bytes] = {}
    for path, content in bake("repository", answers).items():
        target = places.get(path) if path.startswith("ci/") else path
        if target is not None:
            files[target] = content
    return files


def to_root(name: str) -> str:
    """The way from an environment's folder up to the repository, with a slash at its end."""
    return "../" * (2 + name.count("/"))


def definition(name: str, answers: Mapping[str, str]) -> bytes:
    """The environment.yaml of a new environment at `name` below environments/."""
    team, _, last = name.rpartition("/")
    schema = f"{to_root(name)}.gen-env/environment.schema.json"
    context = {**answers, "name": last, "team": team, "schema": schema}
    return bake("environment", context)["environment.yaml"]
