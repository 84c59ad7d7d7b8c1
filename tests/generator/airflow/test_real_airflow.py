"""The facts about options held against real releases: their linter, their own configuration."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from generator.airflow import facts
from generator.airflow.facts import Fate
from tests.generator.airflow import installed

pytestmark = pytest.mark.nightly

PROBE = Path(__file__).with_name("real_options.py")
MOVED = re.compile(r"`(\S+)` configuration parameter moved from `(\S+)` .*to `(\S+)` .*as `(\S+)`")
RENAMED = re.compile(r"`(\S+)` configuration parameter renamed to `(\S+)` in the `(\S+)` section")
REMOVED = re.compile(r"Removed.* `(\S+)` configuration parameter from `(\S+)` section")
# Airflow does not start with any other value.
VALID = {"grid_view_sorting_order": "topological"}
TOLD = {Fate.MOVED, Fate.RENAMED, Fate.REMOVED}


class Real:
    """One real release: what it says of options, and what `airflow config lint` reports."""

    def __init__(self, version, home):
        self.version = version
        self.python = installed.python_of(version)
        self.environment = {
            "AIRFLOW_HOME": str(home), "PATH": os.environ["PATH"], "COLUMNS": "1000",
            "HOME": str(home),
        }  # fmt: skip
        moves = [(move.old, move.new) for move in facts.moved(version)]
        said = json.loads(self._run(PROBE, stdin=json.dumps(moves)).splitlines()[-1])
        self.linted = {tuple(option) for option in said["linted"]}
        self.documented = {tuple(option) for option in said["documented"]}
        self.reads = {(tuple(old), tuple(new)): read for old, new, read in said["reads"]}
        self.reports = self._lint(home / "airflow.cfg")

    def _run(self, *command, stdin=""):
        done = subprocess.run(
            [self.python, *command], input=stdin, capture_output=True, text=True, check=False,
            timeout=600, env=self.environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def _lint(self, path):
        """Old option → new one, None for removed, of a file with every option of the linter."""
        sections = {"database": {"sql_alchemy_conn": "sqlite://"}}
        for section, name in self.linted:
            sections.setdefault(section, {}).setdefault(name, VALID.get(name, "1"))
        lines = [
            text
            for section, names in sections.items()
            for text in (f"[{section}]", *(f"{name} = {value}" for name, value in names.items()))
        ]
        path.write_text("\n".join(lines))
        return dict(_reports(self._run("-m", "airflow", "config", "lint")))


def _reports(output):
    for text in output.splitlines():
        if match := MOVED.search(text):
            yield (match[2], match[1]), (match[3], match[4])
        elif match := RENAMED.search(text):
            yield (match[3], match[1]), (match[3], match[2])
        elif match := REMOVED.search(text):
            yield (match[2], match[1]), None


@pytest.fixture(scope="module", params=sorted(installed.DAYS))
def real(request, tmp_path_factory):
    return Real(request.param, tmp_path_factory.mktemp(f"airflow-{request.param}"))


def answer(real, option):
    return facts.unknown(*option, real.version)


def test_what_the_linter_reports_is_reported_with_the_same_new_name(real):
    assert len(real.reports) > 120
    ours = {option: answer(real, option) for option in real.reports}
    differing = {
        option: (new, ours[option])
        for option, new in real.reports.items()
        if ours[option] is None or ours[option].fate not in TOLD or ours[option].new != new
    }
    assert differing == {}


def test_what_the_linter_knows_and_lets_pass_is_not_called_moved_or_removed(real):
    passed = real.linted - set(real.reports)
    told = {
        option: ours for option in passed if (ours := answer(real, option)) and ours.fate in TOLD
    }
    assert told == {}


def test_every_option_that_the_release_and_its_providers_document_passes(real):
    assert len(real.documented) > 300
    told = {
        option: ours
        for option in real.documented - set(real.reports)
        if (ours := answer(real, option))
    }
    assert told == {}


def test_an_old_name_is_read_exactly_where_it_is_said_to_be(real):
    said = {(move.old, move.new): move.read for move in facts.moved(real.version)}
    assert len(said) > 90
    wrong = {
        pair: read
        for pair, read in said.items()
        # A fallback of a new name that the release itself does not read is of no use.
        if read != (real.reads[pair] and pair[1] in real.documented)
    }
    assert wrong == {}
