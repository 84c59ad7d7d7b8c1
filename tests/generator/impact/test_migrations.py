import pytest

from generator.airflow import image_release
from generator.airflow.managers import FAB_AUTH
from generator.diff import what_runs
from generator.diff.model import Facts
from generator.impact.context import View
from generator.impact.migration import Class, classify
from generator.model.image import ImageFacts
from tests.generator.impact.builders import airflow_cfg, found, manifest, side, workload

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def runs(image, airflow="", **providers):
    """What runs by the image and `airflow.version`, or by facts where providers are named."""
    read = image_release.reference(image)
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
    old = what_runs.known(image_release.reference("r/a:r1"), Facts(image=known))
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


SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


def ways(env=(), env_from=(), auth=FAB_AUTH, old="3.1.7", new="3.1.8"):
    """The one finding between two images with another FAB provider, and these options."""

    def pods(tag):
        made = job(tag)
        container = made["spec"]["template"]["spec"]["containers"][0]
        container.update(env=list(env), envFrom=list(env_from))
        return made

    config = airflow_cfg(f"[core]\nauth_manager = {auth}\n")
    sides = [
        {"image": ImageFacts.model_validate({"airflow": tag, "providers": {"fab": fab}, "of": tag})}
        for tag, fab in ((old, "3.4.0"), (new, "3.6.4"))
    ]
    (item,) = found([config, pods(old)], [config, pods(new)], "migration", *sides)
    return item.message


AUTH = "AIRFLOW__CORE__AUTH_MANAGER"


def test_fab_is_taken_down_where_its_auth_manager_runs():
    assert "`airflow fab-db downgrade --to-version 3.4.0 --yes`" in ways()
    assert "`airflow fab-db downgrade" in ways(auth=SIMPLE, env=[{"name": AUTH, "value": FAB_AUTH}])


@pytest.mark.parametrize(
    "given",
    [
        {"auth": SIMPLE},
        {"env": [{"name": AUTH, "value": SIMPLE}]},
        {"auth": SIMPLE, "env_from": [{"configMapRef": {"name": "airflow-config"}}]},
    ],
)
def test_a_chain_that_the_auth_manager_leaves_out_has_no_step_and_is_said(given):
    text = ways(**given)
    assert "fab-db" not in text and "assumed" not in text
    assert "the chain of fab has no step and its tables stay: it does not run" in text


@pytest.mark.parametrize(
    ("given", "unread"),
    [
        (
            {"env": [{"name": AUTH, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            f"{AUTH} of Job airflow/migrations was not read",
        ),
        (
            {"env": [{"name": f"{AUTH}_CMD", "value": "cat /x"}]},
            f"{AUTH}_CMD of Job airflow/migrations was not read",
        ),
        (
            {"auth": SIMPLE, "env_from": [{"secretRef": {"name": "options"}}]},
            "variables of Secret options were not read",
        ),
    ],
)
def test_options_out_of_sight_are_assumed_and_named(given, unread):
    text = ways(**given)
    assert "fab-db downgrade" in text
    assert f"is not known ({unread}): assumed that it does" in text


def test_the_keys_of_a_sealed_secret_say_that_it_holds_no_option():
    """Its values are sealed, its keys are not."""

    def read(key):
        pods = job("3.1.7")
        pods["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [
            {"secretRef": {"name": "team"}}
        ]
        sealed = manifest(
            "bitnami.com/v1alpha1", "SealedSecret", "team", spec={"encryptedData": {key: "A"}}
        )
        objects = [airflow_cfg(f"[core]\nauth_manager = {SIMPLE}\n"), pods, sealed]
        return View(side(objects)).runs.options.unread

    assert read("TEAM_TOKEN") == ""
    assert read(AUTH) == f"{AUTH} of Secret team was not read"


def by_values(tag, fab, **values):
    facts = ImageFacts.model_validate({"airflow": tag, "providers": {"fab": fab}, "of": tag})
    images = {"images": {"airflow": {"repository": "r/airflow", "tag": tag}}}
    return what_runs.by_values({**images, **values}, facts)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "`airflow fab-db downgrade"),
        ({"config": {"core": {"auth_manager": SIMPLE}}}, "has no step"),
        ({"env": [{"name": AUTH, "value": SIMPLE}]}, "has no step"),
        ({"secret": [{"envName": AUTH, "secretName": "s"}]}, f"({AUTH} of secret was not read)"),
        ({"extraEnv": f"- name: {AUTH}\n  value: x"}, f"({AUTH} of extraEnv was not read)"),
        ({"migrateDatabaseJob": {"env": [{"name": AUTH, "value": SIMPLE}]}}, "has no step"),
        ({"config": {"core": {"auth_manager": "{{ x }}"}}}, "auth_manager is a template)"),
        ({"extraEnvFrom": "- secretRef: {name: x}"}, "(variables of Secret x were not read)"),
        ({"extraEnvFrom": "{{ x }}"}, "(variables of extraEnvFrom were not read)"),
    ],
)
def test_without_a_render_the_values_say_which_chains_run(values, words):
    old, new = by_values("3.1.7", "3.4.0", **values), by_values("3.1.8", "3.6.4", **values)
    assert words in classify(old, new).reason
