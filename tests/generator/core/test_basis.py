import pytest

from generator.core.basis import Assurance, Basis, NotRead, Origin, Version, lines, together
from generator.release import chart_lines

FULL = Basis(
    Version("1.22.0", Origin.LOCK, "sha256:1f7d"),
    Version("3.2.2", Origin.IMAGE),
    Version("1.34.2", Origin.ASSUMED),
)
POST_RENDERERS = NotRead("spec.postRenderers", "release.yaml", "only Flux runs them")


def test_nothing_is_assured_over_what_was_not_read():
    part = FULL.without([POST_RENDERERS])
    assert part.assure("no changes") is None
    with pytest.raises(ValueError, match="only Flux runs them"):
        Assurance("no changes", part)
    assert str(FULL.assure("no changes")) == "no changes"


def test_an_assumed_version_is_named_in_the_line():
    assert FULL.line == "chart 1.22.0, Airflow 3.2.2, Kubernetes 1.34.2 (assumed)"
    assert FULL.assumed == ("Kubernetes 1.34.2",)
    assert Basis().line == "chart unknown, Airflow unknown, Kubernetes unknown"
    assert FULL.without([POST_RENDERERS]).line.endswith("; not read: 1")


def test_a_chart_that_no_table_knows_says_by_which_it_was_judged():
    strange = chart_lines.judged(Version("1.99.0", Origin.NAMED))
    assert str(strange) == "1.99.0 (judged by the table of 1.22.x)"
    assert Basis(strange).as_json()["chart"]["table"] == "1.22.x"
    assert chart_lines.judged(FULL.chart) == FULL.chart
    for release in ("1.6.0", "1.19.0", "1.22.9"):
        assert str(chart_lines.judged(Version(release, Origin.NAMED))) == release


def test_lines_name_those_that_they_hold_for_unless_they_hold_for_all():
    other = Basis(Version("1.21.0", Origin.LOCK))
    assert lines({"dev": FULL, "staging": FULL}) == (FULL.line,)
    assert lines({"dev": FULL, "new": other, "staging": FULL}) == (
        f"dev, staging: {FULL.line}",
        f"new: {other.line}",
    )
    assert lines({}) == ()


def test_the_json_says_what_was_judged_by_and_what_was_not_read():
    assert FULL.without([POST_RENDERERS]).as_json() == {
        "chart": {"version": "1.22.0", "source": "lock", "digest": "sha256:1f7d"},
        "airflow": {"version": "3.2.2", "source": "image"},
        "kubernetes": {"version": "1.34.2", "source": "assumed"},
        "notRead": [
            {
                "what": "spec.postRenderers",
                "where": "release.yaml",
                "reason": "only Flux runs them",
            }
        ],
    }


def test_several_bases_agree_or_say_that_they_do_not():
    other = Basis(Version("1.20.0", Origin.LOCK), FULL.airflow, FULL.kubernetes, (POST_RENDERERS,))
    both = together([FULL, other, FULL])
    assert both.chart == Version()
    assert both.airflow == FULL.airflow
    assert both.not_read == (POST_RENDERERS,)
    assert together([]).complete
