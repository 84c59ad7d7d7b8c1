"""Definitions and the trees they give, byte by byte; GEN_ENV_GOLDEN=write renews them."""

import os
import shutil
from pathlib import Path

import pytest

from generator.definition.lock_file import version
from tests.repositories import Repo

ROOT = Path(__file__).parents[2] / "golden"
CASES = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
REWRITE = os.environ.get("GEN_ENV_GOLDEN") == "write"
# The schemas are the same everywhere and have a test of their own.
INPUTS = ("gen-env.yaml", "environment.yaml", "idea.md")

pytestmark = pytest.mark.golden


def held(folder):
    """Path → bytes of what a case holds: its inputs and its tree."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def is_input(path, content):
    sealed = "/secrets/" in path and b'""' not in content
    return path.endswith(INPUTS) or sealed


def generated(folder, target):
    """The tree that the case's inputs give; the version in locks is written as VERSION."""
    for path, content in held(folder).items():
        if is_input(path, content):
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    done = Repo(target).run("generate")
    assert done.code == 0, done.said
    shutil.rmtree(target / ".gen-env")
    current = f'genEnv: "{version()}"'.encode()
    return {
        path: content.replace(current, b'genEnv: "VERSION"') if path.endswith(".lock") else content
        for path, content in held(target).items()
    }


def compare(folder, target):
    """Fail unless the case holds exactly the tree that its inputs give."""
    tree, expected = generated(folder, target), held(folder)
    hint = "make golden renews it; git diff then shows what changed"
    assert sorted(expected) == sorted(tree), f"missing or surplus files; {hint}"
    for path, content in tree.items():
        assert expected[path].decode() == content.decode(), f"{path} differs; {hint}"


def rewrite(folder, target):
    """Replace everything but the inputs of a case."""
    tree = generated(folder, target)
    for path in held(folder):
        (folder / path).unlink()
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@pytest.mark.parametrize("name", CASES)
def test_a_definition_gives_its_tree(name, tmp_path):
    if REWRITE:
        rewrite(ROOT / name, tmp_path / "written")
    compare(ROOT / name, tmp_path / "compared")


def test_there_are_cases_and_each_says_its_idea():
    assert len(CASES) >= 4
    for name in CASES:
        assert (ROOT / name / "idea.md").read_text().strip()


@pytest.mark.parametrize("change", ["missing", "surplus", "other bytes"])
def test_a_difference_fails_until_it_is_rewritten(change, tmp_path):
    folder = tmp_path / "case"
    shutil.copytree(ROOT / "smallest", folder)
    values = folder / "environments/dev/generated/values.yaml"
    if change == "missing":
        values.unlink()
    elif change == "surplus":
        (values.parent / "more.yaml").write_bytes(values.read_bytes())
    else:
        values.write_bytes(values.read_bytes() + b"more: 1\n")
    with pytest.raises(AssertionError):
        compare(folder, tmp_path / "first")
    rewrite(folder, tmp_path / "second")
    compare(folder, tmp_path / "third")
    assert held(folder) == held(ROOT / "smallest")
