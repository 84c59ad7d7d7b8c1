"""Whether a rehearsal is one of the migration that a change brings, and fresh."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from generator.airflow.image_release import Reference, Runs, Source
from generator.core.files import Snapshot
from generator.definition.rehearsal_file import Back, Estimate, Rehearsal, Side
from generator.model.image import ImageFacts
from generator.pipeline.rehearsals import standing

NOW = datetime(2026, 6, 10, tzinfo=UTC)
PATH = "environments/production/rehearsal.json"
FOUND = Rehearsal(
    format=1, environment="production", at=int((NOW - timedelta(days=3)).timestamp()), size=1,
    start=Side(airflow="3.1.8"), end=Side(airflow="3.2.2", providers={"fab": "3.6.4"}),
    outcome="passed", estimate=Estimate(seconds=90, low=80, high=200), back=Back(outcome="returns"),
)  # fmt: skip


def runs(version, **providers):
    written = {"airflow": version, "of": version, "providers": providers}
    facts = ImageFacts.model_validate(written) if providers else None
    return Runs(Reference("r/airflow", version), version, Source.TAG, facts)


def found(content=None, old="3.1.8", new=None, max_age="168h", **changes):
    made = FOUND.model_copy(update=changes).text().encode()
    contents = {PATH: made if content is None else content}
    new = new or runs("3.2.2")
    return standing(Snapshot(contents), "production", runs(old), new, max_age, NOW)


def test_a_fresh_one_of_the_same_migration_counts_and_is_told():
    item = found()
    assert item.fault == ""
    assert "rehearsed 3 days ago: Airflow 3.1.8 → 3.2.2 takes 90 s (80 s to 3 min)" in item.line
    assert item.line.count("leads back to the same revisions, and no table has fewer rows") == 1
    assert "not read: see" not in item.line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_age": "48h"}, "is 3 days old, 48h are allowed"),
        ({"environment": "staging"}, "is of staging"),
        ({"start": Side(airflow="3.1.7")}, "from Airflow 3.1.7, not 3.1.8"),
        ({"end": Side(airflow="3.3.2")}, "to Airflow 3.3.2, not 3.2.2"),
        (
            {"outcome": "failed", "failed": "`airflow db migrate` ended with status 1"},
            "failed: `air",
        ),
        ({"at": int(NOW.timestamp()) + 7200}, "of the future"),
        ({"content": b"{}"}, "not the result of a rehearsal"),
        ({"new": runs("3.2.2", fab="3.6.0")}, "with provider fab 3.6.4, the image has 3.6.0"),
        (
            {"new": runs("3.2.2", fab="3.6.4"), "end": Side(airflow="3.2.2")},
            "without provider fab, the image has 3.6.4",
        ),
        ({"content": FOUND.model_copy(update={"at": 10**400}).text().encode()}, "not the result"),
        (
            {"content": FOUND.model_copy(update={"environment": "x" * 9999}).text().encode()},
            "at most",
        ),
        ({"content": FOUND.text().replace("90", "NaN").encode()}, "not the result"),
    ],
)
def test_what_is_old_of_something_else_or_failed_does_not_count(changes, words):
    assert words in found(**changes).fault


@pytest.mark.parametrize(("hours", "words"), [(26, "1 day"), (-0.5, "0 days")])
def test_the_age_is_told_in_days(hours, words):
    at = int((NOW - timedelta(hours=hours)).timestamp())
    assert f"rehearsed {words} ago" in found(at=at).line


def test_providers_of_an_image_that_are_not_known_are_said():
    assert "not compared: the providers of the image" in found().line
    assert "not compared" not in found(new=runs("3.2.2", fab="3.6.4")).line


def test_an_image_whose_release_is_only_likely_is_said():
    tagged = Reference("r/airflow", "3.2.2", "sha256:" + "0" * 64)
    line = found(new=Runs(tagged, "3.2.2", Source.CLAIMED_TAG)).line
    assert line.endswith(
        "assumed: Airflow 3.2.2 is what the tag says; the digest decides what runs"
    )


def test_where_to_read_what_a_rehearsal_did_not_read_is_said():
    assert found(not_read=("rows of the production",)).line.endswith(f"not read: see {PATH}")


def test_an_airflow_that_moves_up_beside_a_provider_that_moves_down_is_rehearsed():
    old, new = runs("3.1.8", fab="3.6.4"), runs("3.2.2", fab="3.0.0")
    item = standing(Snapshot({}), "production", old, new, "168h", NOW)
    assert "no rehearsal of Airflow 3.1.8 → 3.2.2" in item.fault
    assert standing(Snapshot({}), "production", new, old, "168h", NOW) is None
    alone = runs("3.2.2", fab="3.6.4")
    assert standing(Snapshot({}), "production", alone, new, "168h", NOW) is None


def test_no_command_is_named_that_cannot_make_the_rehearsal():
    def fault(new):
        old = runs("3.2.2", fab="3.4.0")
        return standing(Snapshot({}), "production", old, new, "168h", NOW).fault

    other = dataclasses.replace(runs("3.2.2", fab="3.6.4"), image=Reference("r/other", "3.2.2"))
    assert "--airflow 3.2.2 --dump FILE --python FILE" in fault(other)
    unknown = Runs(Reference("r/airflow", "latest"), "", Source.NOTHING)
    assert "has to tell the release of the new image" in fault(unknown)


def test_the_rehearsal_of_a_provider_alone_is_of_its_two_releases():
    old, new = runs("3.2.2", fab="3.4.0"), runs("3.2.2", fab="3.6.4")
    new = dataclasses.replace(new, image=Reference("r/other", "3.2.2"))

    def fault(start, end):
        sides = {"start": Side(airflow="3.2.2", providers={"fab": start}),
                 "end": Side(airflow="3.2.2", providers={"fab": end})}  # fmt: skip
        text = FOUND.model_copy(update={"at": int(NOW.timestamp()), **sides}).text()
        files = Snapshot({PATH: text.encode()})
        return standing(files, "production", old, new, "168h", NOW).fault

    assert fault("3.4.0", "3.6.4") == ""
    assert "from provider fab 3.5.0, the image has 3.4.0" in fault("3.5.0", "3.6.4")
    assert "with provider fab 3.5.0, the image has 3.6.4" in fault("3.4.0", "3.5.0")


def test_none_is_missed_where_the_schema_does_not_move_up():
    assert standing(Snapshot({}), "production", runs("3.2.2"), runs("3.2.2"), "168h", NOW) is None
    item = standing(Snapshot({}), "production", runs("3.1.8"), runs("3.2.2"), "168h", NOW)
    assert "gen-env rehearse production --airflow 3.2.2" in item.fault
