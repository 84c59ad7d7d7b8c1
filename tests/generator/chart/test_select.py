import pytest

from generator.chart.chart import ChartError
from generator.chart.select import check_digest, choose, newest_first


def test_versions_sort_by_meaning_and_rubbish_is_left_out():
    assert newest_first(["1.9.0", "1.22.0", "latest", "1.22.0-rc.1"]) == (
        "1.22.0",
        "1.22.0-rc.1",
        "1.9.0",
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("1.22.0", "1.22.0"),
        ("v1.22.0", "1.22.0"),
        ("1.22", "1.22.0"),
        ("1.9.x", "1.9.0"),
        ("^1", "1.22.0"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("2.0.0", None),
        ("^3", None),
    ],
)
def test_the_version_asked_for_is_chosen(wanted, found):
    assert choose(["1.9.0", "1.22.0", "2.0.0-rc.1"], wanted) == found


@pytest.mark.parametrize("stated", ["", "sha256:", "md5:abc", "0" * 64, "sha512:" + "0" * 64])
def test_a_digest_that_is_wrong_or_none_is_refused(stated):
    with pytest.raises(ChartError, match="the source states"):
        check_digest(b"x", stated, "place")


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_a_digest_that_is_right_passes(prefix):
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    check_digest(b"x", prefix + digest, "place")
