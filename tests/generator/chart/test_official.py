"""Whether an archive is the one that the Airflow project released."""

import pytest

from generator.chart import official
from generator.chart.archive import pack
from generator.chart.chart import read_chart
from tests import chart_range


def _packed(archive, **changes):
    files = {**archive.files, **changes}
    return read_chart(pack("airflow", files), archive.path)


@pytest.fixture
def genuine():
    return chart_range.archive("1.19.0")


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.13.1", "official 1.13.1"),
        ("1.16.0", "official 1.16.0"),
        ("1.22.0", "official 1.22.0"),
        ("1.14.0", "whether it is the official 1.14.0 is not known: its digest is not shipped"),
        ("1.7.0", "not the official archive of 1.7.0: its digest differs"),
    ],
)
def test_an_archive_is_official_unknown_or_another(version, text):
    assert official.judged(chart_range.archive(version)) == text


def test_what_differs_from_the_official_archive_is_named(genuine):
    values = genuine.files["values.yaml"] + b"\n# ours\n"
    assert official.judged(_packed(genuine, **{"values.yaml": values})) == (
        "not the official archive of 1.19.0: values.yaml differs"
    )
    both = {"values.yaml": values, "templates/extra.yaml": b"{}"}
    assert official.judged(_packed(genuine, **both)) == (
        "not the official archive of 1.19.0: templates/ and values.yaml differ"
    )


def test_the_same_files_packed_again_are_told_from_the_official_archive(genuine):
    assert official.judged(_packed(genuine)) == (
        "not the official archive of 1.19.0, but with the same files"
    )


def test_chart_add_says_what_is_known_of_the_archive(tmp_path, monkeypatch):
    from tests.repositories import run
    from tests.standin_chart import stand_in_archive

    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "cache"))
    done = run("chart", "add", stand_in_archive(tmp_path))
    assert done.code == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("airflow 1.22.0 sha256:")
    assert second.startswith("not the official archive of 1.22.0: Chart.yaml, ")
