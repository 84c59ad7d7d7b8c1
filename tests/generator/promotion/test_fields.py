import pytest

from generator.core.errors import UserError
from generator.definition import definition
from generator.definition.lock_file import Lock
from generator.model.repository import Promotion
from generator.promotion import fields
from generator.yaml.edit import MISSING
from tests.repositories import PRODUCTION, STAGING, changed

DEFAULT = Promotion().fields
NEW = "sha256:" + "5e6f7a8b" * 8
STAGED = changed(
    STAGING,
    ("version: 3.2.2, exec", "version: 3.2.3, exec"),
    ("tag: 3.2.2-r1}", f'tag: 3.2.3-r1, digest: "{NEW}"}}'),
    ("ref: main", "ref: 4c1f0b7"),
)
LOCK = Lock("airflow", "airflow-staging", "1.22.0", "sha256:" + "1" * 64, "0.1.0")


def load(name, text):
    return definition.load(name, text.encode())


def chosen(source=STAGED, target=PRODUCTION, names=DEFAULT, lock=None):
    return fields.choose(load("staging", source), load("production", target), names, lock)


def moved(source=STAGED, target=PRODUCTION, names=DEFAULT, lock=None):
    choice = chosen(source, target, names, lock)
    return fields.edited(load("production", target), choice.moves)


def test_what_was_proven_moves_and_every_other_byte_stays():
    assert moved() == changed(
        PRODUCTION,
        ("version: 3.2.2, exec", "version: 3.2.3, exec"),
        ("tag: 3.2.2-r1", "tag: 3.2.3-r1"),
        ("sha256:9f2c3b1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b", NEW),
        ("ref: 4610234", "ref: 4c1f0b7"),
    )


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("tag: 3.2.2-r1", "tag:   '3.2.2-r1'   # proven in staging"),
        lambda text: text.replace("    ref: 4610234", "    # the DAGs\n    ref: 4610234 # r7"),
        lambda text: text.rstrip("\n"),
    ],
    ids=["crlf", "bom", "quoted", "comments", "no-final-newline"],
)
def test_layout_and_comments_of_the_target_survive(dress):
    target = dress(PRODUCTION)
    after = moved(target=target)
    assert after != target
    undone = fields.edited(
        load("production", after),
        [fields.Move(move.field, move.new, move.old) for move in chosen(target=target).moves],
    )
    assert undone == target


def test_equal_definitions_move_nothing():
    assert chosen(target=STAGED).moves == ()
    assert moved(target=STAGED) == STAGED


def test_quotes_are_no_difference():
    target = changed(PRODUCTION, ("ref: 4610234", "ref: '4610234'"))
    source = changed(STAGED, ("ref: 4c1f0b7", "ref: 4610234"))
    assert chosen(source, target, ["dags.gitSync.ref"]).moves == ()


def test_a_number_like_revision_arrives_as_written():
    source = changed(STAGED, ("ref: 4c1f0b7", "ref: 1234e56"))
    assert "ref: 1234e56\n" in moved(source, names=["dags.gitSync.ref"])


def test_a_field_that_the_source_does_not_write_is_left_alone():
    source = changed(STAGED, ("airflow: {version: 3.2.3, ", "airflow: {"))
    choice = chosen(source, names=["airflow.version"])
    assert choice.moves == ()
    assert choice.stays == ("`airflow.version`: not set in staging",)


def test_a_part_that_only_the_source_chose_is_not_made_up():
    target = PRODUCTION[: PRODUCTION.index("dags:")] + "dags: {image: {}}\n"
    choice = chosen(target=target, names=["dags.gitSync.ref"])
    assert choice.moves == ()
    assert choice.stays == ("`dags.gitSync.ref`: production does not write `dags.gitSync`",)


def test_a_version_that_the_target_has_from_defaults_is_written_out():
    target = changed(PRODUCTION, ("chart: {version: 1.22.0}\n", ""))
    assert "chart:\n  version: 1.22.0\n" in moved(target=target, names=["chart.version"])


def test_values_paths_move_whole():
    source = STAGED + "values: {scheduler: {startupProbe: {failureThreshold: 30}}}\n"
    target = (
        PRODUCTION + "values:\n  scheduler:   # slow disks\n    startupProbe: {periodSeconds: 9}\n"
    )
    names = ["values.scheduler.startupProbe"]
    after = load("production", moved(source, target, names))
    assert after.part("values", "scheduler", "startupProbe") == {"failureThreshold": "30"}
    assert "# slow disks" in after.document.text
    (move,) = chosen(source, target, names).moves
    assert (move.old_text, move.new_text) == ("(1 entries)", "(1 entries)")


def test_quotes_do_matter_in_values():
    source, target = STAGED + 'values: {a: "1"}\n', PRODUCTION + "values: {a: 1}\n"
    assert len(chosen(source, target, ["values.a"]).moves) == 1


@pytest.mark.parametrize(
    "field", ["metadata.name", "destination.namespace", "kind", "suppress", "a..b", "", ".a"]
)
def test_what_makes_an_environment_itself_cannot_be_promoted(field):
    with pytest.raises(UserError, match="cannot be promoted"):
        chosen(names=[field])


def test_a_new_tag_under_an_old_digest_is_refused():
    source = changed(STAGED, (f', digest: "{NEW}"', ""))
    with pytest.raises(UserError) as caught:
        chosen(source)
    assert "digest wins" in caught.value.message
    assert caught.value.place == "environments/production/environment.yaml:11"


def test_a_digest_that_is_not_among_the_fields_cannot_stay_behind():
    with pytest.raises(UserError, match="old image"):
        chosen(names=["image.tag"])


PINNED = changed(
    PRODUCTION, ("chart: {version: 1.22.0}", f'chart: {{version: 1.21.0, digest: "{NEW}"}}')
)


@pytest.mark.parametrize(
    ("source", "lock", "expected"),
    [
        (STAGED, LOCK, LOCK.chart_digest),
        (
            changed(STAGED, ("1.22.0}", f'1.22.0, digest: "sha256:{"2" * 64}"}}')),
            LOCK,
            "sha256:" + "2" * 64,
        ),
        (STAGED, None, MISSING),
    ],
    ids=["from-the-lock", "from-the-definition", "unknown"],
)
def test_a_pinned_chart_digest_goes_along_with_the_version(source, lock, expected):
    choice = chosen(source, PINNED, ["chart.version"], lock)
    assert [(move.field, move.new) for move in choice.moves] == [
        ("chart.version", "1.22.0"),
        ("chart.digest", expected),
    ]
    after = load("production", fields.edited(load("production", PINNED), choice.moves))
    assert after.part("chart", "digest") == (None if expected is MISSING else expected)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        (changed(STAGED, ("ref: 4c1f0b7", "ref: main")), "another commit later"),
        (changed(STAGED, ("git.example.com:dags", "git.example.com:more")), "exist in both"),
        (changed(STAGED, ("example.com/airflow,", "example.com/other,")), "copied there"),
        (changed(STAGED, ("tag: 3.2.3-r1", "tag: 3.2.2-r1")), "the image fits"),
    ],
)
def test_the_reviewer_is_told_what_to_mind(source, word):
    assert any(word in remark for remark in chosen(source).remarks)


def test_a_clean_promotion_has_no_remarks():
    assert chosen().remarks == ()


def test_drift_names_fields_and_never_values():
    source, target = load("staging", STAGED), load("production", PRODUCTION)
    found = {item.field: item.where for item in fields.drift(source, target, DEFAULT)}
    assert found["database.host"] == "differs"
    assert found["workers.replicas"] == "only in staging"
    assert found["pgbouncer.replicas"] == "only in production"
    assert not [name for name in found if name.startswith(("metadata", "image.tag", "apiVersion"))]
    assert "pg.example.com" not in str(found)


def test_secrets_in_a_moved_value_are_masked():
    source = STAGED + "values: {env: 'postgresql://user:hunter2secret@db/x'}\n"
    (move,) = chosen(source, PRODUCTION, ["values.env"]).moves
    assert "hunter2secret" not in move.new_text
