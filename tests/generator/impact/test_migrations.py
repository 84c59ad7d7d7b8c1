import pytest

from generator.diff import what_runs
from generator.diff.model import Facts
from generator.impact.migration import Class, classify
from generator.model.image import ImageFacts
from tests.generator.impact.builders import found, manifest, workload

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def runs(image, airflow="", **providers):
    """What runs by the image and `airflow.version`, or by facts where providers are named."""
    read = what_runs.reference(image)
    written = {"airflow": airflow, "providers": providers, "of": read.digest or read.tag}
    facts = ImageFacts.model_validate(written) if providers else None
    return what_runs.known(read, Facts(airflow_version=airflow or None, image=facts))


def tags(old, new):
    return classify(runs(f"r/airflow:{old}"), runs(f"r/airflow:{new}"))


@pytest.mark.parametrize(
    ("base", "head", "kind"),
    [
        ("3.2.2", "3.2.2", Class.NONE),
        ("3.2.0", "3.2.2", Class.STAYS),
        ("3.2.2", "3.2.0", Class.STAYS),
        ("3.1.7", "3.1.8", Class.DOWNGRADE),
        ("3.0.2", "3.0.3", Class.ONE_WAY),
        ("3.1.7", "3.2.0", Class.DOWNGRADE),
        ("2.10.2", "2.10.3", Class.DOWNGRADE),
        ("2.10.3", "2.11.0", Class.STAYS),
        ("2.11.0", "3.2.2", Class.ONE_WAY),
        ("3.0.0", "2.11.0", Class.ONE_WAY),
        ("3.2.0", "3.1.8", Class.BACKWARD),
        ("3.2.2", "3.9.0", Class.DOWNGRADE),
        ("3.9.1", "3.2.2", Class.BACKWARD),
        ("slim-3.1.7-python3.12", "v3.2.0-r4", Class.DOWNGRADE),
        ("3.2.2-r1", "3.2.2-r2", Class.STAYS),
        ("1b2c3d", "3.2.2", Class.UNKNOWN),
        ("3.2.2", "main", Class.UNKNOWN),
        ("3.2.2", "2026.11.03", Class.UNKNOWN),
    ],
)
def test_the_tags_of_the_images_decide_the_class(base, head, kind):
    assert tags(base, head).kind is kind


def test_the_providers_migration_alone_needs_a_downgrade():
    result = classify(runs("r/a:r1", "3.1.8", fab="3.4.0"), runs("r/a:r2", "3.1.8", fab="3.5.0"))
    assert result.kind is Class.DOWNGRADE and not result.assumed
    assert "1 revision of fab" in result.reason
    assert "`airflow fab-db downgrade --to-version 3.4.0 --yes` with the image r2" in result.reason


def test_the_provider_goes_down_before_airflow():
    result = tags("3.1.8", "3.2.2")
    assert [step.command for step in result.back] == [
        "airflow fab-db downgrade --to-version 3.4.0 --yes",
        "airflow db downgrade --to-version 3.1.8 --yes",
    ]
    assert tags("3.2.2", "3.1.8").before == result.back


def test_what_was_assumed_is_named_and_never_called_enough():
    result = tags("3.2.0", "3.2.2")
    assert "assumed fab 3.6.0" in result.reason and "a person has to decide" in result.reason
    assert "revert is enough" not in result.reason
    known = classify(runs("r/a:x", "3.2.0", fab="3.6.0"), runs("r/a:y", "3.2.2", fab="3.6.4"))
    assert known.reason.endswith("the schema stays and a revert is enough")


def test_a_digest_outweighs_the_tag_which_is_then_a_claim():
    same = runs(f"r/a:3.2.2@{DIGEST}"), runs(f"r/a:3.3.0@{DIGEST}")
    assert classify(*same).kind is Class.NONE
    moved = classify(runs(f"r/a:3.2.2@{DIGEST}"), runs(f"r/a:3.2.2-r2@{OTHER}"))
    assert "Airflow 3.2.2 is what the tag says; the digest decides" in moved.reason


def test_a_tag_that_names_no_release_leaves_only_a_claim():
    result = classify(runs("r/a:1b2c", "3.2.2"), runs("r/a:3d4e", "3.2.2"))
    assert result.kind is Class.UNKNOWN
    assert 'the tag "3d4e" names no release' in result.reason


def test_a_moving_tag_is_another_image_where_the_version_moves():
    old, new = runs("r/a:latest", "3.1.8"), runs("r/a:latest", "3.2.2")
    assert classify(old, new).kind is Class.DOWNGRADE
    assert classify(old, old).kind is Class.NONE


def test_a_provider_that_arrives_alone_is_never_harmless():
    known = ImageFacts.model_validate({"airflow": "3.2.2", "providers": {}, "of": "r1"})
    old = what_runs.known(what_runs.reference("r/a:r1"), Facts(image=known))
    result = classify(old, runs("r/a:r2", "3.2.2", fab="3.6.4"))
    assert result.kind is Class.UNKNOWN
    assert "provider fab arrives" in result.reason and "enough" not in result.reason


def test_a_release_newer_than_the_tables_is_assumed():
    assert "newer than" in tags("3.2.2", "3.9.0").reason


def job(tag="3.1.7"):
    template = {
        "metadata": {"labels": {"component": "run-airflow-migrations"}},
        "spec": {"containers": [{"name": "run", "image": f"r/airflow:{tag}"}]},
    }
    return manifest("batch/v1", "Job", "migrations", spec={"template": template})


def moved(rule, old="3.1.7", new="3.2.0", make=job):
    return found([make(old)], [make(new)], rule)


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        ("3.1.7", "3.2.0", "warning"),
        ("3.2.0", "3.2.1", "warning"),
        ("3.2.1", "3.2.1-r2", "info"),
        ("2.10.3", "2.11.0", "info"),
        ("2.11.0", "3.2.0", "error"),
        ("3.2.0", "3.1.7", "error"),
        ("3.2.0", "nightly", "warning"),
    ],
)
def test_the_severity_follows_the_way_back(old, new, severity):
    (item,) = moved("migration", old, new)
    assert item.severity == severity
    assert str(item.resource) == "Job airflow/migrations"


def test_the_image_counts_and_not_the_version_of_the_definition():
    claim = {"airflow_version": "3.2.0"}
    (item,) = found([job("3.2.0-r1")], [job("3.3.0-r1")], "migration", claim, claim)
    assert item.message.startswith("Airflow 3.2.0 → 3.3.0, needs a downgrade")
    other = {"airflow_version": "3.3.0"}
    assert found([job("3.2.0-r1")], [job("3.2.0-r1")], "migration", claim, other) == []


def test_an_unchanged_image_migrates_nothing():
    assert moved("migration", "3.2.0", "3.2.0") == []


def test_a_new_environment_migrates_nothing():
    assert found([], [job()], "migration") == []


def test_a_needed_migration_without_a_job_is_an_error():
    def scheduler(tag):
        return workload("scheduler", image=f"r/airflow:{tag}")

    (item,) = moved("migration-job", make=scheduler)
    assert item.severity == "error"
    assert moved("migration-job") == []
    assert moved("migration-job", "3.2.0", "3.2.1", make=scheduler) == []
    assert moved("migration-job", "3.2.0", "3.1.7", make=scheduler) == []
