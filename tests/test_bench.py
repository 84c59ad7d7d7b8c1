"""`make bench-check`: what it calls slower, and what it keeps."""

import json

import pytest

from tools import bench
from tools.bench_rows import Row

STORED = {"diff, cold": 0.4, "check": 1.0}


def test_as_fast_as_stored_or_faster_is_no_fault():
    assert bench.worse(STORED, {"diff, cold": 0.2, "check": 1.2}) == {}


def test_a_quarter_more_is_a_fault_that_names_the_row_and_both_ratios():
    [fault] = bench.worse(STORED, {"diff, cold": 0.6, "check": 1.0}).values()
    assert "diff, cold: 0.6 times" in fault
    assert "0.4 is stored: 50% more" in fault


@pytest.mark.parametrize("measured", [{"check": 1.0}, {**STORED, "new": 0.1}])
def test_a_row_that_only_one_of_both_has_is_a_fault(measured):
    [name] = bench.worse(STORED, measured)
    assert name in ("diff, cold", "new")


def test_ratios_of_another_chart_stay_when_some_are_stored(tmp_path):
    file = tmp_path / "ratios.json"
    bench.store(file, "official", STORED)
    bench.store(file, "stand-in", {"check": 0.123456})
    assert json.loads(file.read_text()) == {"official": STORED, "stand-in": {"check": 0.123}}


def test_a_row_is_the_median_of_its_ratio_to_helm_in_the_same_round(monkeypatch, tmp_path):
    seconds = iter([2.0, 8.0, 3.0])
    helm = iter([1.0, 2.0, 3.0])
    cost = bench.Cost(0, 0, 0, 0)

    class Bench:
        env = None

        def helm_seconds(self, row):
            return next(helm)

    monkeypatch.setattr(bench, "measure", lambda *_: cost._replace(cpu=next(seconds)))
    measured = bench.Measured(Bench(), [Row("diff", tmp_path, [])])
    measured.run(3)
    assert measured.ratios() == {"diff": 2.0}
