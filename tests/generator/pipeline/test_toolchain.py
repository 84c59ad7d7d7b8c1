"""Charts from the source that gen-env.yaml names."""

import pytest

from generator.chart.cache import ChartCache
from generator.chart.chart import ChartError
from generator.pipeline import toolchain
from tests.fakes.chart_server import serving
from tests.standin_chart import stand_in_archive


def listing(*versions):
    entries = "".join(f"  - version: {item}\n    urls: [airflow.tgz]\n" for item in versions)
    return f"apiVersion: v1\nentries:\n  airflow:\n{entries}".encode()


@pytest.mark.parametrize(
    ("asked", "holds"), [("1.22.1", False), ("1.22.0", True), ("~1.22", True), ("~1.23", False)]
)
def test_a_fetched_chart_is_the_one_that_was_asked_for(asked, holds, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    archive = stand_in_archive(tmp_path).read_bytes()
    listed = ("1.22.0",) if holds else ("1.22.1", "1.23.0")
    with serving() as server:
        server.answers["/index.yaml"] = listing(*listed)
        server.answers["/airflow.tgz"] = archive
        if holds:
            assert toolchain.pull(asked, server.url, tmp_path).version == "1.22.0"
            return
        with pytest.raises(ChartError, match=r"holds airflow 1\.22\.0, and .* was asked for"):
            toolchain.pull(asked, server.url, tmp_path)
    assert ChartCache.from_environment().list() == ()
