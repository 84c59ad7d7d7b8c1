import json

import pytest

from generator.report import json_report
from generator.report.model import Report
from tests.generator.report.samples import REPORTS
from tests.golden_cases import report_of


@pytest.mark.few(2)
@pytest.mark.parametrize("name", REPORTS)
def test_the_shape_is_the_documented_one(name):
    shape = json.loads(json_report.render(REPORTS[name]()))
    assert list(shape) == [
        "base",
        "head",
        "environments",
        "files",
        "impact",
        "problems",
        "reason",
        "basis",
        "verdict",
        "story",
        "fields",
    ]
    for environment in shape["environments"]:
        assert list(environment) == [
            "name",
            "oldName",
            "rendered",
            "reason",
            "changes",
            "folded",
            "impact",
            "problems",
            "drift",
            "basis",
            "baseBasis",
            "fields",
            "flows",
        ]
        for change in environment["changes"] + environment["drift"]:
            assert list(change)[:6] == [
                "action",
                "apiVersion",
                "kind",
                "namespace",
                "name",
                "diff",
            ]
        for finding in environment["impact"]:
            named = [key for key in finding if key != "also"]
            assert named == ["rule", "severity", "resource", "message"]
            assert finding["severity"] in ("error", "warning", "info")


def test_a_renamed_object_carries_its_old_name():
    shape = json_report.as_json(report_of("object-with-generated-name"))
    (change,) = shape["environments"][0]["changes"]
    assert change["oldName"] == "dags-config-5f8b2c97d4"


def test_a_failed_render_is_a_value_of_the_report():
    (environment,) = json_report.as_json(report_of("head-does-not-render"))["environments"]
    assert (environment["rendered"], environment["reason"]) == (False, "the head does not render")
    assert environment["problems"][0]["rule"] == "render/failed"


def test_an_empty_report_says_why():
    assert json_report.as_json(Report("b", "h"))["reason"]
    assert json_report.as_json(report_of("more-workers"))["reason"] == ""


def test_the_text_is_ascii_so_that_no_reader_stumbles():
    assert json_report.render(REPORTS["hostile"]()).isascii()
