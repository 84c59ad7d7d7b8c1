"""The shipped table of the official chart's releases."""

import pytest

from generator.chart import key_table
from generator.chart.traits_cache import as_data, from_data
from tests import chart_range


def test_the_table_holds_every_release_since_1_6():
    assert key_table.versions()[0] == "1.6.0"
    assert key_table.versions()[-1] == "1.22.0"
    assert len(key_table.versions()) == 18
    assert key_table.traits("1.23.0") is None


@chart_range.each_version
def test_the_table_says_what_the_archive_says(version):
    if version not in key_table.versions():
        pytest.skip("newer than the table")
    assert key_table.traits(version) == chart_range.traits(version)


@pytest.mark.parametrize(
    ("key", "since"),
    [
        ("workers.celery.keda.enabled", "1.20.0"),
        ("workers.celery.replicas", "1.19.0"),
        ("createUserJob.enabled", "1.19.0"),
        ("otelCollector.config", "1.22.0"),
        ("scheduler.replicas", "1.6.0"),
        ("postgresql.postgresqlUsername", ""),
        ("_rpcServer.enabled", ""),
        ("no.such.key", ""),
    ],
)
def test_it_knows_since_when_a_key_is_read(key, since):
    assert key_table.first(key) == since


def test_what_is_the_same_in_neighbouring_releases_is_written_once():
    releases = [as_data(key_table.traits(version)) for version in ("1.18.0", "1.19.0")]
    table = key_table.as_data(releases)
    assert table["keys"]['["","scheduler","replicas"]'] == [[0, 1, "--"]]
    assert table["keys"]['["","createUserJob","enabled"]'] == [[1, 1, "--"]]


def test_plain_data_without_what_it_needs_is_refused():
    with pytest.raises(KeyError):
        from_data({"version": "1.22.0"})
