"""Which archive is meant, in a real cache and a real vendored folder."""

import pytest

from generator.chart.archive import unpack
from generator.chart.cache import ChartCache
from generator.chart.chart import ChartError, ChartFault
from generator.chart.provider import Charts
from generator.chart.vendored import Vendored, archive
from generator.core.files import Snapshot, WorkTree
from tests.standin_chart import stand_in_archive

OTHER = "sha256:" + "0" * 64


@pytest.fixture
def packed(tmp_path):
    return stand_in_archive(tmp_path)


@pytest.fixture
def cache(tmp_path):
    return ChartCache(tmp_path / "cache")


def contents(packed, folder="charts/airflow"):
    return {f"{folder}/{path}": data for path, data in unpack(packed.read_bytes()).items()}


@pytest.mark.parametrize("way", ["find", "at_hand", "meant"])
def test_another_archive_than_the_locked_one_is_an_error(cache, packed, way):
    added = cache.add(packed)
    assert getattr(Charts(cache), way)("1.22.0", added.digest) == added
    with pytest.raises(ChartError, match="the lock says") as caught:
        getattr(Charts(cache), way)("1.22.0", OTHER)
    assert caught.value.fault is ChartFault.DIGEST and "genuine" in caught.value.hint


def test_an_archive_that_was_checked_once_is_told_by_its_digest_alone(cache, packed, monkeypatch):
    added = cache.add(packed)
    monkeypatch.setattr("generator.chart.cache.open_chart", lambda *given, **how: 1 / 0)
    charts = Charts(cache)
    assert charts.locate("1.22.0", added.digest) == added.path
    assert charts.confirms("1.22.0", added.digest)
    assert not charts.confirms("1.22.0", None) and not charts.confirms("1.22.0", OTHER)
    assert not Charts(cache, vendored=lambda: None).confirms("1.22.0", added.digest)


def test_an_archive_that_rots_is_told_all_the_same(cache, packed):
    added = cache.add(packed)
    added.path.write_bytes(added.path.read_bytes()[:-1] + b"x")
    charts = Charts(cache)
    assert not charts.confirms("1.22.0", added.digest)
    with pytest.raises(ChartError, match="corrupt"):
        charts.locate("1.22.0", added.digest)


def test_where_no_digest_is_known_the_archive_is_opened(cache, packed):
    added = cache.add(packed)
    assert Charts(cache).locate("1.22.0", None) == added.path
    assert Charts(cache).locate("1.21.0", None) is None
    with pytest.raises(ChartError, match="the lock says"):
        Charts(cache).locate("1.22.0", OTHER)


@pytest.mark.parametrize("way", ["find", "at_hand", "meant"])
def test_no_archive_at_all_is_none(cache, way):
    assert getattr(Charts(cache), way)("1.22.0", OTHER) is None


def test_what_is_not_at_hand_is_fetched_once_it_is_needed(cache, packed):
    asked = []

    def fetch(version):
        asked.append(version)
        cache.add(packed)
        return ""

    charts = Charts(cache, fetch)
    assert charts.at_hand("1.22.0", None) is None and asked == []
    assert charts.meant("1.22.0", None).version == "1.22.0" and asked == ["1.22.0"]
    assert charts.at_hand("1.22.0", None) is not None and asked == ["1.22.0"]


def test_why_a_chart_is_missing_is_said(cache):
    said = Charts(cache, lambda version: f"no {version} there").missing("1.22.0")
    assert said == "chart airflow 1.22.0 is not in the cache (no 1.22.0 there)"


def test_a_vendored_chart_is_the_only_one_that_a_definition_means(cache, packed):
    cached = cache.add(packed)
    files = contents(packed)
    files["charts/airflow/values.yaml"] += b"\n# ours\n"
    charts = Charts(cache, vendored=Vendored(Snapshot(files), "charts/airflow", cache))
    own = charts.at_hand("1.22.0", None)
    assert own.digest != cached.digest and own.text("values.yaml").endswith("# ours\n")
    with pytest.raises(ChartError, match="the lock says"):
        charts.meant("1.22.0", cached.digest)
    assert charts.find("1.22.0", cached.digest) == cached, "a base may have had another"
    assert charts.find("1.22.0", own.digest) == own
    with pytest.raises(ChartError, match="holds version"):
        charts.at_hand("1.21.0", None)


def test_a_repository_without_its_chart_is_told_by_name(cache):
    charts = Charts(cache, vendored=Vendored(Snapshot({}), "charts/airflow", cache))
    assert charts.meant("1.22.0", OTHER) is None
    assert charts.missing("1.22.0") == "this repository does not contain chart airflow 1.22.0"


def test_a_folder_and_an_archive_can_be_vendored(packed):
    files = contents(packed)
    folder = archive(Snapshot(files), "charts/airflow")
    assert folder == archive(Snapshot(dict(reversed(files.items()))), "charts/airflow/")
    assert unpack(folder) == unpack(packed.read_bytes())
    data = packed.read_bytes()
    assert archive(Snapshot({"charts/airflow.tgz": data}), "charts/airflow.tgz") == data


def test_what_is_no_vendored_chart_is_refused(tmp_path, packed):
    with pytest.raises(ChartError, match=r"no Chart\.yaml"):
        archive(Snapshot({"charts/airflow/readme": b""}), "charts/airflow")
    (tmp_path / "charts/airflow").mkdir(parents=True)
    (tmp_path / "charts/airflow/Chart.yaml").symlink_to(packed)
    with pytest.raises(ChartError, match="symbolic link"):
        archive(WorkTree(tmp_path), "charts/airflow")


def test_a_vendored_chart_is_read_once(cache, packed):
    read = []

    class Counting(Snapshot):
        def below(self, folder):
            read.append(folder)
            return super().below(folder)

    vendored = Vendored(Counting(contents(packed)), "charts/airflow", cache)
    assert vendored() is vendored() and len(read) == 1
