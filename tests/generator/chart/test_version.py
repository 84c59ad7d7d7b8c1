import pytest

from generator.chart.version import Version, parse_range, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.22.0", Version(1, 22, 0)),
        ("v1.34.2", Version(1, 34, 2)),
        ("3.2", Version(3, 2, 0)),
        ("1.0.0-rc.1+build.5", Version(1, 0, 0, "rc.1")),
    ],
)
def test_a_version_is_read_as_helm_reads_it(text, version):
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "01.2.3", "1.2.3-", "1..2", "x.y.z"])
def test_what_is_no_version_is_none(text):
    assert parse_version(text) is None


def test_versions_sort_as_semver_says():
    listed = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"]
    listed += ["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "2.0.0"]
    shuffled = listed[5:] + listed[:5]
    assert sorted(shuffled, key=parse_version) == listed


def test_build_metadata_is_kept_and_takes_no_part_in_the_order():
    assert str(parse_version("1.0.0+b1")) == "1.0.0+b1"
    assert parse_version("1.0.0+b1") == parse_version("1.0.0+b2")


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        (">= 1.30.0-0", ["1.30.0", "1.34.2", "1.34.2-gke.100"], ["1.29.9"]),
        (">=1.30.0", ["1.30.0"], ["1.34.2-gke.100"]),
        (">=1.2, <2", ["1.2.0", "1.99.9"], ["2.0.0", "1.1.9"]),
        (">=1.2 <2", ["1.5.0"], ["2.0.0"]),
        ("^1.2.3 || ~2.1", ["1.9.0", "2.1.9"], ["1.2.2", "2.2.0", "2.0.0"]),
        ("1.2 - 1.4.5", ["1.2.0", "1.4.5"], ["1.4.6", "1.1.0"]),
        ("1.x", ["1.0.0", "1.99.0"], ["2.0.0"]),
        ("1.2.x", ["1.2.7"], ["1.3.0"]),
        ("~>1.2.3", ["1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.9.9"], ["2.0.0"]),
        ("^0.2.3", ["0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0.0", ["0.0.9"], ["0.1.0"]),
        ("*", ["0.0.1", "9.9.9"], []),
        ("!=1.2", ["1.3.0"], ["1.2.7"]),
        ("!=1.2.3", ["1.2.4"], ["1.2.3"]),
        (">1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9"], ["1.3.0"]),
        ("=>1.2.0", ["1.2.0"], ["1.1.0"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
    ],
)
def test_a_range_holds_what_it_says(constraint, inside, outside):
    allowed = parse_range(constraint)
    assert [v for v in inside if parse_version(v) not in allowed] == []
    assert [v for v in outside if parse_version(v) in allowed] == []


@pytest.mark.parametrize("text", ["", "junk", ">=", ">=1.2 ||", "1.2.3.4", ">= 1.0 and < 2"])
def test_what_is_no_range_is_none(text):
    assert parse_range(text) is None
