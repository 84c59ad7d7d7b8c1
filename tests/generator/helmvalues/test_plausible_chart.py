"""Which releases of the chart values can be for that name none."""

import pytest

from generator.helmvalues.plausible_chart import bound


@pytest.mark.parametrize(
    ("values", "newest"),
    [
        ({}, None),
        ({"airflowVersion": "2.9.3"}, "1.16.0"),
        ({"airflowVersion": "2.11.0"}, None),
        ({"airflowVersion": "2.9.3", "images": {"airflow": {"tag": "3.0.0"}}}, "1.19.0"),
        ({"images": {"airflow": {"tag": "2.9.3-python3.11"}}}, "1.16.0"),
        ({"defaultAirflowTag": "2.10.5"}, "1.16.0"),
        ({"defaultAirflowTag": "3.0.2"}, None),
        ({"images": {"airflow": {"tag": "20260101"}}}, None),
        ({"airflowVersion": "main"}, None),
    ],
)
def test_airflow_rules_out_the_charts_that_do_not_render_it(values, newest):
    found = bound(values)
    assert (found.versions[0] if found else None) == newest


def test_of_those_that_fit_the_newest_at_hand_is_taken():
    found = bound({"airflowVersion": "2.9.3"})
    assert found.best(["1.9.0", "1.13.1", "1.22.0"]) == "1.13.1"
    assert found.best(["1.22.0"]) == "1.16.0"
    assert found.why == "newer charts refuse Airflow 2.9.3"
