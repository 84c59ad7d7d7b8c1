"""`rehearse`: what a measurement says of more rows, what is refused, the Job for the cluster."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from generator.actions.recovery import rehearse
from generator.core.errors import UserError
from generator.definition import rehearsal_file
from generator.lint.objects import kubernetes_schema, pod_security
from tests.generator.manifests.test_backups import with_backup
from tests.repositories import PRODUCTION, changed, release

OLD = changed(PRODUCTION, ("version: 3.2.2", "version: 3.1.8"), ("tag: 3.2.2-r1", "tag: 3.1.8"))
HEADS = {"alembic_version": ["509b94a1042d"]}


def applied(seconds, revision="888b59e02a5b", **more):
    return {
        "chain": "alembic_version", "revision": revision, "up": True, "doc": "Fix it.",
        "tables": ["task_instance"], "rewrites": [], "indexes": [], "seconds": seconds,
        "locks": {"task_instance": ["AccessExclusiveLock", seconds]}, "wal": 1000, "temporary": 0,
        "peak": 1100, **more,
    }  # fmt: skip


def ran(*revisions, seconds=20.0, command="airflow db migrate", **more):
    return {"command": command, "seconds": seconds, "revisions": revisions, **more}


def printed(**more):
    rows = {"task_instance": 1000, "dag": 5, "dag_run": 0}
    return {
        "format": 1, "at": 1_780_000_000, "server": "15.14", "heads": HEADS, "rows": rows,
        "target": {"airflow": "3.2.2", "providers": {"fab": "3.6.4"}, "python": "3.12.1"},
        "size": 1000, "sizeAfter": 1050, "headsAfter": {"alembic_version": ["1d6611b6ab7c"]},
        "empty": ran(applied(0.5)), "runs": [ran(applied(2.5)), ran(applied(4.5))],
        "back": {"commands": [ran(command="airflow db downgrade --to-version 3.1.8 --yes")],
                 "heads": HEADS, "rows": rows},
        **more,
    }  # fmt: skip


def judged(given=(), manifest=None, **more):
    document = json.dumps(printed(**more)).encode()
    found = rehearse.read(document, "")
    made = release(OLD)
    route = rehearse.way(made, "3.2.2", found.target.providers)
    return rehearse.judge(made, route, found, manifest or {}, rehearse.production(given))


def test_what_does_not_grow_with_rows_is_taken_off_before_the_rest_is_multiplied():
    found = judged(["task_instance=5000"])
    (step,) = found.steps
    assert step.seconds == 3.5
    assert step.estimate.seconds == 0.5 + 3.0 * 5
    assert step.estimate.low == 0.5 + 2.0 * 5
    assert step.estimate.high > 0.5 + 4.0 * 5
    assert 15.5 + 15.5 < found.estimate.seconds < 15.5 + 17.5
    assert found.slowest == step and "888b59e02a5b" in found.line
    assert found.room == pytest.approx(100 * 5, rel=0.05)
    assert "AccessExclusiveLock" in rehearse.measurement.shown_locks(step)


def test_one_run_that_was_held_up_does_not_decide():
    runs = [ran(applied(seconds)) for seconds in (2.0, 2.2, 40.0)]
    (step,) = judged(["task_instance=5000"], runs=runs).steps
    assert step.seconds == 2.2 and step.estimate.seconds == 0.5 + 1.7 * 5
    assert step.estimate.high > 0.5 + 39.5 * 5


def test_without_rows_of_the_production_the_dump_is_all_and_that_is_said():
    found = judged()
    assert found.steps[0].estimate.seconds == 3.5
    assert "rows of the production: not known, the dump is taken for all of it" in found.not_read
    assert "where the dump is from, and of when it is: it has no manifest" in found.not_read
    assert any(item.startswith("assumed: providers of the image") for item in found.not_read)
    some = judged(["task_instance=5000"])
    assert "rows of 1 tables in production: taken as in the dump" in some.not_read


def test_a_manifest_gives_the_rows_and_other_rows_than_its_own_are_refused():
    rows = {"public.task_instance": 1000, "public.dag": 5, "public.dag_run": 0}
    found = judged(manifest={"name": "production-20260601T020000Z", "rows": rows})
    assert found.backup == "production-20260601T020000Z"
    assert not any("rows of" in item for item in found.not_read)
    days = "what came into the database since the backup, 28 days before the rehearsal"
    at = int(datetime(2026, 6, 29, 2, tzinfo=UTC).timestamp())
    assert days in judged(manifest={"name": found.backup, "rows": rows}, at=at).not_read
    other = judged(manifest={"name": "staging-20260601T020000Z", "rows": rows})
    words = "the database of production: the dump is the backup 'staging-20260601T020000Z'"
    assert words in other.not_read
    with pytest.raises(UserError, match="not those of the backup's manifest"):
        judged(manifest={"rows": {**rows, "public.dag": 6}})


def test_the_way_back_is_judged_by_revisions_and_by_rows_that_are_missing():
    assert judged().back.outcome == "returns"
    lost = {**printed()["back"], "rows": {"task_instance": 999, "dag_run": 0, "log": 3}}
    found = judged(back=lost).back
    assert found.outcome == "differs"
    assert found.differs == ("dag is gone", "task_instance has 999 rows, had 1000")
    other = {**printed()["back"], "heads": {"alembic_version": ["x"]}}
    assert judged(back=other).back.differs == ("alembic_version is x, was 509b94a1042d",)
    failed = {**printed()["back"], "failed": ran(command="airflow db downgrade", status=1)}
    assert judged(back=failed).back.differs == ("`airflow db downgrade` ended with status 1",)


def test_a_migration_that_fails_is_a_result_without_texts_of_the_database():
    found = judged(failed=ran(applied(1), status=1), runs=[], back=None)
    assert found.outcome == "failed"
    assert found.failed == "`airflow db migrate` ended with status 1 after revision 888b59e02a5b"
    assert "failed" in found.line


def test_what_was_not_run_after_a_failure_is_said_and_nothing_is_said_of_it():
    compared = "revisions and numbers of rows were compared"
    assert any(compared in item for item in judged().not_read)
    failed = judged(failed=ran(applied(1), status=1), runs=[], back=None).not_read
    assert "times and room: no migration of the dump came to its end" in failed
    assert "the way back: it was not run, because the migration failed" in failed
    assert not any("one run" in item for item in failed)
    back = {**printed()["back"], "failed": ran(command="airflow db downgrade", status=1)}
    stopped = judged(back=back).not_read
    assert "revisions and rows after the way back: it failed, and they were not compared" in stopped
    none = {"commands": [], "heads": {"alembic_version": ["x"]}, "rows": {}}
    assert judged(back=none).back.outcome == "none"
    for found in (failed, stopped, judged(back=none).not_read):
        assert not any(compared in item for item in found)


def test_where_nothing_has_to_go_back_rows_are_compared_all_the_same():
    same = {"commands": [], "heads": HEADS, "rows": printed()["rows"]}
    assert judged(back=same).back.outcome == "returns"
    lost = judged(back={**same, "rows": {**same["rows"], "dag": 0}})
    assert lost.back.differs == ("dag has 0 rows, had 5",)


def test_a_database_of_another_release_than_the_environment_runs_is_refused():
    words = r"it restored the revision x, and Airflow 3\.1\.8 has 509b94a1042d"
    with pytest.raises(UserError, match=words):
        judged(heads={"alembic_version": ["x"]})
    with pytest.raises(UserError, match="it restored the revision none"):
        judged(heads={})


def test_the_file_reads_back_and_anything_else_is_refused():
    found = judged()
    assert rehearsal_file.read(found.text().encode(), "x") == found
    for content in (b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"format": 2}', b" " * (1 << 21)):
        with pytest.raises(UserError, match="not the result of a rehearsal"):
            rehearsal_file.read(content, "x")


def test_another_release_than_the_one_asked_for_is_refused():
    with pytest.raises(UserError, match=r"it ran Airflow 3\.3\.2, not 3\.2\.2"):
        judged(target={**printed()["target"], "airflow": "3.3.2"})


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.1.8", "not newer"), ("3.0.0", "not newer"), ("main", "not a release")],
)
def test_what_migrates_nothing_is_not_rehearsed(version, words):
    with pytest.raises(UserError, match=words):
        rehearse.way(release(OLD), version)


DIGEST = "sha256:9f2c3b1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"
FACTS = f"{{of: '{DIGEST}', airflow: 3.1.8, providers: {{fab: 2.4.1}}}}"


def test_a_provider_alone_is_rehearsed_with_the_providers_of_the_target():
    made = release(changed(OLD, ("tag: 3.1.8", f"tag: 3.1.8\n  facts: {FACTS}")))
    route = rehearse.way(made, "3.1.8", {"fab": "3.6.4"})
    assert any("fab-db downgrade" in command for command in route.back)
    for providers in ({"fab": "2.4.1"}, {"fab": "2.0.0"}):
        with pytest.raises(UserError, match="nothing is migrated"):
            rehearse.way(made, "3.1.8", providers)
    target = {"airflow": "3.1.8", "providers": {"fab": "3.6.4"}, "python": "3.12.1"}
    for after, error in (({**HEADS, "alembic_version_fab": ["x"]}, ""), (HEADS, "has every")):
        document = json.dumps(printed(target=target, headsAfter=after)).encode()
        found = rehearse.read(document, "")
        if error:
            with pytest.raises(UserError, match=error):
                rehearse.judge(made, route, found, {}, {})
        else:
            end = rehearse.judge(made, route, found, {}, {})
            assert end.start.providers == {"fab": "2.4.1"}
            assert end.end.providers == {"fab": "3.6.4"}


def test_a_target_that_is_not_known_is_rehearsed_with_what_is_assumed():
    route = rehearse.way(release(OLD), "3.99.0")
    assert any(
        "providers of the image with Airflow 3.99.0 are not known" in x for x in route.assumed
    )


def test_rows_are_numbers_by_table_or_manifests(tmp_path):
    place = tmp_path / "manifest.json"
    place.write_text('{"rows": {"public.dag_run": 7, "public.log": 1}}')
    assert rehearse.production([str(place), "dag_run=9"]) == {"dag_run": 9, "log": 1}
    for text in ('{"rows": {"a": -1}}', '{"rows": {"a": true}}', '{"rows": []}', "[]", "{", "\x00"):
        place.write_text(text)
        with pytest.raises(UserError, match="not the manifest of a backup"):
            rehearse.production([str(place)])
    for item in ("dag_run", "dag_run=-1", "=3", "dag_run=many"):
        with pytest.raises(UserError, match="neither TABLE=N nor"):
            rehearse.production([item])


def test_the_newest_complete_backup_of_a_folder_is_taken_and_compared_with_its_manifest(tmp_path):
    with pytest.raises(UserError, match="no complete backup of team/a found"):
        rehearse.dump(tmp_path, "team/a")
    for day in ("20260601", "20260602", "20260603"):
        (tmp_path / f"team.a-{day}T020000Z.dump.age").write_bytes(b"x")
    for day, digest in (("20260601", "0"), ("20260602", "1")):
        (tmp_path / f"team.a-{day}T020000Z.json").write_text(
            json.dumps({"sha256": digest * 64, "bytes": 9})
        )
    (tmp_path / "team.a-20260603T020000Z.proven.json").write_text("{}")
    (tmp_path / "team.a-copy-20260609T020000Z.json").write_text("{}")
    (tmp_path / "team.a-copy-20260609T020000Z.dump.age").write_bytes(b"another environment's")
    with pytest.raises(UserError, match="not what was stored: 1 of 9 bytes") as error:
        rehearse.dump(tmp_path, "team/a")
    assert "20260602" in error.value.path
    with pytest.raises(UserError, match="not found"):
        rehearse.dump(tmp_path / "missing.dump", "team/a")


def test_the_job_has_the_targets_image_the_last_backup_and_no_key_of_the_environment(tmp_path):
    text = with_backup(OLD)
    found = rehearse.job(release(text), "3.2.2", "registry.example.com/airflow:3.2.2", 2)
    assert any("providers of the image with Airflow 3.2.2" in line for line in found.notes)
    config, job = yaml.safe_load_all(found.text)
    assert {"rehearse.py", "rehearse.sh", "store.sh", "spec.json"} <= set(config["data"])
    spec = json.loads(config["data"]["spec.json"])
    assert spec["expected"] == ["509b94a1042d"] and spec["back"][-1].endswith("3.1.8 --yes")
    database, airflow = job["spec"]["template"]["spec"]["containers"]
    assert airflow["image"] == "registry.example.com/airflow:3.2.2"
    names = {row["name"] for row in (*database["env"], *airflow["env"])}
    assert not names & {"FERNET_KEY", "PGPASSWORD", "PGHOST"}
    assert job["spec"]["template"]["metadata"]["labels"]["component"] == "restore-drill"
    assert not list(pod_security.problems([job], "restricted"))
    major, minor = kubernetes_schema.supported()[-1]
    assert not list(kubernetes_schema.problems([config, job], f"{major}.{minor}.0"))
    assert all(len(value) < 200_000 for value in config["data"].values())
    log = tmp_path / "log"
    for backup in ("production-20260601T020000Z", "staging-20260601T020000Z", ""):
        log.write_text("running airflow db migrate\n" + json.dumps(printed(backup=backup)) + "\n")
        if backup.startswith("production"):
            assert rehearse.of_job(release(text), "3.2.2", log, ()).outcome == "passed"
            continue
        with pytest.raises(UserError, match="not one of production"):
            rehearse.of_job(release(text), "3.2.2", log, ())
    log.write_text("the database was not restored\n")
    with pytest.raises(UserError, match="not what a rehearsal prints"):
        rehearse.of_job(release(text), "3.2.2", log, ())


def test_a_job_needs_an_image_and_a_backup():
    with pytest.raises(UserError, match="not the name of an image"):
        rehearse.job(release(with_backup(OLD)), "3.2.2", "a b", 1)
    with pytest.raises(UserError, match="needs --image"):
        rehearse.job(release(with_backup(OLD)), "3.2.2", None, 1)
    with pytest.raises(UserError, match="makes no backup"):
        rehearse.job(release(OLD), "3.2.2", "airflow:3.2.2", 1)
