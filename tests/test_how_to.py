"""The pages of docs/how-to, followed to the letter: files are written and commands run as shown."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.tree import catalogue
from tests.generator.seal.keypair import DAY, NOW, pem
from tests.repositories import run

PAGES = sorted((Path(__file__).parents[1] / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"# (\S+)\n")


def blocks(page):
    """What a reader does, in order: (file name, content) or (None, command line)."""
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        named = NAMED.match(text)
        if language == "sh":
            yield from ((None, line) for line in text.splitlines())
        else:
            assert language in ("yaml", "text"), f"{page.name}: nothing runs blocks of {language}"
            assert language == "text" or named, f"{page.name}: which file is it?\n{text}"
            if named:
                yield named[1], text


class Reader:
    """Somebody who starts in an empty folder."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, text):
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def run(self, line):
        words = shlex.split(line)
        if words[0] == "cd":
            self.folder /= words[1]
        elif words[0] == "gen-env" and not set(line) & set("|<>$"):
            done = run("-C", self.folder, *words[1:])
            assert done.code == 0, f"$ {line}\n{done.said}"
        else:
            path = f"PATH={Path(sys.executable).parent}:$PATH; "
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", path + line],
                cwd=self.folder, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"


def test_every_cloud_and_every_shape_of_company_has_its_page():
    names = {page.stem for page in PAGES}
    assert {"eks", "gke", "aks", "openshift", "air-gapped", "teams", "many-environments"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_definitions_of_a_page_build_and_suppress_nothing(page):
    files = Snapshot({name: text.encode() for name, text in blocks(page) if name})
    found = catalogue.load(files)
    assert found.definitions and not found.problems
    for definition in found.definitions.values():
        result = generate.build(files, found.settings, definition)
        assert result.release is not None and not result.problems, result.problems
        assert not result.release.environment.suppress


@pytest.mark.thorough
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_from_the_first_line_to_the_last(page, official_chart, tmp_path):
    # What the page of air-gapped networks says to have.
    (tmp_path / "sealing.pem").write_bytes(pem(not_after=NOW + 3650 * DAY))
    (tmp_path / "database-password").write_text("dbpw\n")
    (tmp_path / "client-secret").write_text("oidc")
    reader = Reader(tmp_path)
    for name, text in blocks(page):
        reader.write(name, text) if name else reader.run(text)
    found = run("-C", reader.folder, "validate", "-o", "json").json
    errors = [item for item in found["problems"] if item["severity"] == "error"]
    assert not errors and found["suppressed"] == [], found
