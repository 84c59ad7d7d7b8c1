"""The scripts of backups and drills as processes, with the environment of the generated CronJobs.

PostgreSQL, age and rclone are real; only paths, host and keys are a test's own.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.fernet import Fernet

from generator.manifests import backups, restore_job
from tests import postgresql
from tests.cluster import process, programs
from tests.loopback import free_port
from tests.repositories import PRODUCTION, release

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not shutil.which("age"), reason="needs age (Debian: age)"),
]

HEAD = "1d6611b6ab7c"  # of Airflow 3.2.2
KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
PLAIN = "kept-in-a-connection"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
S3 = "{s3: {bucket: bucket, region: eu-central-1}}"
VOLUME = "{volume: {claim: backups}}"
SCHEMA = """
create table alembic_version (version_num text);
create table connection (conn_id text, password text, extra text, is_encrypted bool,
  is_extra_encrypted bool);
create table variable (key text, val text, is_encrypted bool);
create table task_instance (task_id text, rest text);
"""
SLOW_AGE = """#!/bin/bash
{ head -c 20000; touch "$WORK/half"; sleep 60; } | %s "$@"
"""

SLOW_DECRYPTION = """#!/bin/bash
%s "$@" | { head -c 100000; touch "$WORK/half"; sleep 60; }
"""


class Jobs:
    """The jobs of one environment, in a folder of their own; PostgreSQL wants a short path."""

    def __init__(self, folder, database, storage):
        self.folder, self.database = folder, database
        for name in ("work", "store", "scripts", "bin"):
            (folder / name).mkdir()
        self.identity, recipient = self.key("identity")
        text = (
            f"{PRODUCTION}backup: {{image: {{repository: r/b, tag: '16'}}, storage: {storage}, "
            f"encryption: {{recipients: [{recipient}]}}, beforeMigration: true}}\n"
        )
        self.objects = {(x["kind"], x["metadata"]["name"]): x for x in made(text)}
        for config in ("airflow-backup", "airflow-restore"):
            for name, script in self.objects["ConfigMap", config]["data"].items():
                (folder / "scripts" / name).write_text(script)
        self.own(folder)

    def own(self, path):
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", path], check=True)

    def key(self, name):
        done = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
        (self.folder / name).write_text(done.stdout)
        return self.folder / name, done.stderr.split()[-1]

    def variables(self, name):
        job = (
            self.objects.get(("Job", name)) or self.objects["CronJob", name]["spec"]["jobTemplate"]
        )
        (container,) = job["spec"]["template"]["spec"]["containers"]
        found = {row["name"]: row.get("value", "") for row in container["env"]}
        here = str(self.folder)
        for inside, outside in (
            ("/work", f"{here}/work"), ("/backups", f"{here}/store"),
            ("/opt/gen-env", f"{here}/scripts"), ("/identity/identity", str(self.identity)),
        ):  # fmt: skip
            found = {key: value.replace(inside, outside) for key, value in found.items()}
        found |= {"PGPASSWORD": "unused", "FERNET_KEY": KEY, "PGSSLMODE": "disable"}
        found |= {"PATH": f"{here}/bin:{os.environ['PATH']}", "STATSD_HOST": ""}
        if "RCLONE_CONFIG_STORE_TYPE" in found:
            found |= {"RCLONE_CONFIG_STORE_TYPE": "alias", "RCLONE_CONFIG_STORE_REMOTE": here}
            found["BACKUP_REMOTE"] = "store"
        if name != "airflow-restore-drill":
            where, _, database = self.database.rpartition("/")
            found |= {"PGHOST": "127.0.0.1", "PGPORT": where.rpartition(":")[2]}
            found |= {"PGUSER": "owner", "PGDATABASE": database, "LOCK_TIMEOUT": "1000"}
        return found

    def start(self, name, prepare=None, **more):
        script = self.folder / "scripts" / f"{name}.sh"
        names = {"drill": "airflow-restore-drill", "before": "airflow-backup-before-migration"}
        job = names.get(name, f"airflow-{name}")
        return subprocess.Popen(
            [*(NOBODY if os.geteuid() == 0 else ()), "bash", script],
            env={**self.variables(job), **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=prepare,
        )  # fmt: skip

    def run(self, name, prepare=None, **more):
        """Exit code and all that it wrote; no secret is ever in it."""
        process = self.start(name, prepare, **more)
        stdout, stderr = process.communicate(timeout=180)
        said = stdout + stderr
        for secret in (KEY, OTHER_KEY, PLAIN, "AGE-SECRET-KEY"):
            assert secret not in said
        return process.returncode, said

    def good(self, name, **more):
        code, said = self.run(name, **more)
        assert code == 0, said
        return said

    def red(self, name, *words, prepare=None, **more):
        code, said = self.run(name, prepare, **more)
        assert code != 0
        for word in words:
            assert word in said, said
        assert not self.stored(".proven.json")

    def stored(self, ending=""):
        return sorted(
            path.name for path in (self.folder / "store").iterdir() if path.name.endswith(ending)
        )

    def drop(self, database):
        import psycopg

        server = self.database.rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"drop database {database} with (force)")

    def sql(self, text, *values):
        import psycopg

        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(text, values)


def made(text):
    found = release(text)
    backup = found.environment.backup
    return [*backups.MANIFEST.objects(found), *restore_job.objects(found, backup, "")]


@pytest.fixture(scope="module")
def server():
    with postgresql.server() as url:
        yield url


@contextlib.contextmanager
def jobs_of(server, storage=VOLUME):
    with (
        tempfile.TemporaryDirectory(prefix="gen-env-b-", dir="/tmp") as folder,
        postgresql.fresh_database(server, "airflow") as database,
    ):
        Path(folder).chmod(0o755)
        jobs = Jobs(Path(folder), database, storage)
        jobs.sql(SCHEMA)
        jobs.sql("insert into alembic_version values (%s)", HEAD)
        token = Fernet(KEY).encrypt(PLAIN.encode()).decode()
        jobs.sql("insert into connection values ('a', %s, %s, true, true)", token, token)
        # What does not compress: a dump of several hundred kilobytes.
        jobs.sql(
            "insert into task_instance select md5(n::text), md5(random()::text) || "
            "md5(random()::text) from generate_series(1, 10000) n"
        )
        yield jobs


@pytest.fixture
def jobs(server):
    with jobs_of(server) as found:
        yield found


def test_before_a_migration_there_is_a_backup_unless_there_is_nothing_to_migrate(jobs):
    heads = json.dumps({"alembic_version": [HEAD]})
    assert "has every revision of the image" in jobs.good("before", EXPECTED_HEADS=heads)
    assert jobs.stored() == []
    for more in (
        {},
        {"EXPECTED_HEADS": json.dumps({"alembic_version": ["d2f4e1b3c5a7"]})},
        {"EXPECTED_HEADS": json.dumps({"alembic_version": [HEAD], "alembic_version_fab": ["x"]})},
    ):
        assert "stored" in jobs.good("before", **more)
        for path in (jobs.folder / "store").iterdir():
            path.unlink()
    jobs.red("before", "cannot read the database", PGPORT="1")
    jobs.sql("drop table alembic_version")
    assert "holds no tables of Airflow" in jobs.good("before")
    assert jobs.stored() == []


def test_a_backup_is_restored_and_proven(jobs):
    jobs.good("backup")
    dump, manifest = jobs.stored()
    text = (jobs.folder / "store" / manifest).read_text()
    assert KEY not in text and PLAIN not in text
    found = json.loads(text)
    assert found["heads"] == {"alembic_version": [HEAD]}
    assert found["rows"]["public.task_instance"] == 10_000
    assert found["about"]["image"].startswith("registry.example.com/airflow:3.2.2-r1@sha256:")
    assert found["bytes"] == (jobs.folder / "store" / dump).stat().st_size
    assert (jobs.folder / "store" / dump).read_bytes().startswith(b"age-encryption.org/v1")

    said = jobs.good("drill")
    assert "2 of 2 encrypted values decrypt" in said and "not looked at" not in said
    (proven,) = jobs.stored(".proven.json")
    assert json.loads((jobs.folder / "store" / proven).read_text())["decrypted"] == 2
    assert not (jobs.folder / "work/data").exists(), "the restored database stays nowhere"


def test_a_bucket_holds_the_same(server):
    if not shutil.which("rclone"):
        pytest.skip("needs rclone (Debian: rclone)")
    with jobs_of(server, S3) as jobs:
        jobs.good("backup")
        jobs.good("drill")
        assert len(jobs.stored()) == 3


@pytest.mark.nightly
def test_object_storage_that_stores_holds_what_a_drill_proves_and_a_restore_takes(server, tmp_path):
    """A real server of S3's API: requests of rclone, listing, deletion, an object cut short."""
    program = programs.find("gofakes3")
    if program is None or not shutil.which("rclone"):
        pytest.skip("needs gofakes3 (make cluster-tools) and rclone (Debian: rclone)")
    address = f"127.0.0.1:{free_port()}"
    command = [program, "-backend", "memory", "-initialbucket", "bucket", "-host", address]
    s3 = {
        "RCLONE_CONFIG_STORE_TYPE": "s3", "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ENDPOINT": f"http://{address}", "BACKUP_REMOTE": "bucket/production",
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": "backup",
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": "key-of-the-bucket",
    }  # fmt: skip
    log = tmp_path / "gofakes3.log"
    with process.running(command, log), jobs_of(server, S3) as jobs:
        process.until(lambda: ask(address, "bucket"), "the bucket", log=log)
        jobs.good("backup", **s3)
        assert "2 of 2 encrypted values decrypt" in jobs.good("drill", **s3)
        text = ask(address, "bucket").decode()
        stored = sorted(re.findall("<Key>production/([^<]+)</Key>", text))
        assert [name.partition("Z.")[2] for name in stored] == ["dump.age", "json", "proven.json"]
        jobs.sql("delete from task_instance")
        said = jobs.good("restore", **s3)
        assert jobs.sql("select count(*) from task_instance").fetchone() == (10_000,)
        (before,) = (word.rstrip(":") for word in said.split() if "airflow_before" in word)
        jobs.drop(before)
        place = f"bucket/production/{stored[0]}"
        whole = ask(address, place)
        ask(address, place, whole[: len(whole) // 2])
        code, said = jobs.run("drill", **s3)
        assert code != 0 and "is not what was stored" in said, said
        assert "proven" not in ask(address, "bucket").decode()
        code, said = jobs.run("backup", **{**s3, "BACKUP_REMOTE": "absent/production"})
        assert code != 0 and "cannot store" in said, said


def ask(address, path, body=None):
    request = urllib.request.Request(
        f"http://{address}/{path}", data=body, method="GET" if body is None else "PUT"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


class Refusing(BaseHTTPRequestHandler):
    """Object storage whose policy lets nobody in."""

    asked: ClassVar[list] = []

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT

    def log_message(self, *_):
        pass


def test_a_bucket_that_refuses_is_red_and_the_reason_has_no_key(server):
    if not shutil.which("rclone"):
        pytest.skip("needs rclone (Debian: rclone)")
    storage = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=storage.serve_forever, args=(0.05,))
    thread.start()
    secret = "key-of-the-bucket"
    s3 = {
        "RCLONE_CONFIG_STORE_TYPE": "s3", "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ENDPOINT": f"http://127.0.0.1:{storage.server_port}",
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": "backup", "BACKUP_REMOTE": "bucket/production",
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": secret,
    }  # fmt: skip
    try:
        with jobs_of(server, S3) as jobs:
            for name, reason in (("backup", "cannot store production-"),
                                 ("drill", "cannot list the storage")):  # fmt: skip
                code, said = jobs.run(name, **s3)
                assert code != 0 and reason in said.splitlines()[-1], said
                assert re.search("403|AccessDenied", said) and secret not in said
            assert jobs.stored() == []
    finally:
        storage.shutdown()
        storage.server_close()
        thread.join()
    signed = [key for _, path, key in Refusing.asked if path.startswith("/bucket")]
    assert signed and all(key.startswith("AWS4-HMAC-SHA256 Credential=backup/") for key in signed)


def test_a_run_that_is_killed_leaves_no_backup_and_the_next_one_is_good(jobs):
    slow = jobs.folder / "bin/age"
    slow.write_text(SLOW_AGE % shutil.which("age"))
    slow.chmod(0o755)
    process = jobs.start("backup")
    wait_for(lambda: (jobs.folder / "work/half").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert jobs.stored(".json") == []
    jobs.red("drill", "no complete backup")
    slow.unlink()
    (half,) = jobs.stored(".part")
    old = re.sub("[0-9]{8}T[0-9]{6}Z", "20200101T000000Z", half)
    assert old != half
    (jobs.folder / "store" / half).rename(jobs.folder / "store" / old)
    assert "never completed" in jobs.good("backup")
    assert not jobs.stored(".part")
    jobs.good("drill")


def test_a_dump_that_the_server_ends_is_no_backup(jobs):
    slow = jobs.folder / "bin/age"
    slow.write_text(SLOW_AGE.replace("sleep 60", "sleep 2; cat") % shutil.which("age"))
    slow.chmod(0o755)
    jobs.sql("insert into task_instance select repeat(md5(random()::text), 3), md5(random()::text)"
        " from generate_series(1, 100000) n")  # fmt: skip
    process = jobs.start("backup")
    wait_for(lambda: (jobs.folder / "work/half").exists())
    jobs.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like"
        " 'pg_dump%%' and pid <> pg_backend_pid() and 1 = %s", 1)  # fmt: skip
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and "the dump is not complete" in said
    assert jobs.stored() == []


def test_a_full_disk_makes_no_backup(jobs):
    limit = 50_000
    jobs.red("backup", "the dump is not complete",
        prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))  # fmt: skip
    assert jobs.stored() == []


def test_a_full_disk_proves_nothing(jobs):
    jobs.sql("insert into task_instance select " + " || ".join(["md5(random()::text)"] * 6) + ", ''"
        " from generate_series(1, 150000) n")  # fmt: skip
    jobs.good("backup")
    with small_disk(jobs, 70):
        jobs.red("drill", "cannot restore")
    jobs.good("drill")


@contextlib.contextmanager
def small_disk(jobs, megabytes):
    work = jobs.folder / "work"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", work]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        jobs.own(work)
        yield
    finally:
        subprocess.run(["umount", work], check=True)


def test_an_image_without_a_server_is_the_reason_of_a_drill(jobs):
    command = [*postgresql.hidden(), "bash", jobs.folder / "scripts/drill.sh"]
    variables = jobs.variables("airflow-restore-drill")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "drill failed: the image has no PostgreSQL server (initdb)\n"


def test_another_key_opens_no_backup(jobs):
    jobs.good("backup")
    other, _ = jobs.key("other")
    jobs.own(other)
    jobs.red("drill", "cannot decrypt", IDENTITY=str(other))


def test_a_truncated_dump_is_no_backup_even_where_its_sum_is_right(jobs):
    import hashlib

    jobs.good("backup")
    (dump,) = (jobs.folder / "store" / name for name in jobs.stored(".age"))
    (manifest,) = (jobs.folder / "store" / name for name in jobs.stored(".json"))
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) // 2])
    jobs.red("drill", "is not what was stored")
    sums = [hashlib.sha256(content).hexdigest() for content in (whole, dump.read_bytes())]
    manifest.write_text(manifest.read_text().replace(*sums))
    jobs.red("drill", "cannot decrypt")


def test_a_dump_of_a_newer_postgresql_is_red_and_changes_nothing(jobs):
    """Bytes 5 to 7 are the archive's version; a newer pg_dump writes a newer one."""
    import hashlib

    jobs.good("backup")
    (dump,) = (jobs.folder / "store" / name for name in jobs.stored(".age"))
    (manifest,) = (jobs.folder / "store" / name for name in jobs.stored(".json"))
    before = dump.read_bytes()
    plain = age("-d", "-i", jobs.identity, content=before)
    assert plain.startswith(b"PGDMP\x01")
    recipients = jobs.folder / "scripts/recipients.txt"
    dump.write_bytes(age("-R", recipients, content=plain[:6] + b"\x63" + plain[7:]))
    sums = [hashlib.sha256(content).hexdigest() for content in (before, dump.read_bytes())]
    manifest.write_text(manifest.read_text().replace(*sums))
    jobs.red("drill", "cannot restore", "unsupported version (1.99)")
    jobs.sql("delete from task_instance")
    jobs.red("restore", "unsupported version (1.99)", "as it was")
    assert jobs.sql("select count(*) from task_instance").fetchone() == (0,)


def age(*options, content):
    return subprocess.run(["age", *options], input=content, capture_output=True, check=True).stdout


def test_a_backup_of_another_schema_is_red(jobs):
    jobs.sql("update alembic_version set version_num = 'fffffffffff0'")
    jobs.good("backup")
    jobs.red("drill", "another schema", "fffffffffff0", HEAD)


def test_revisions_of_providers_are_compared_with_those_of_the_image(jobs):
    jobs.sql("create table alembic_version_fab (version_num text)")
    jobs.sql("insert into alembic_version_fab values ('6709f7a774b9')")
    jobs.good("backup")
    heads = {"alembic_version": [HEAD], "alembic_version_edge3": ["x"]}
    said = jobs.good("drill", EXPECTED_HEADS=json.dumps(heads))
    assert "not looked at: heads of the image for alembic_version_fab" in said
    heads["alembic_version_fab"] = ["6709f7a774b9"]
    assert "not looked at" not in jobs.good("drill", EXPECTED_HEADS=json.dumps(heads))
    heads["alembic_version_fab"] = ["02ca36b0235b"]
    jobs.red("drill", "another schema", "02ca36b0235b", EXPECTED_HEADS=json.dumps(heads))


def test_a_busy_database_fails_instead_of_waiting(jobs):
    import psycopg

    with psycopg.connect(jobs.database) as migration:
        migration.execute("lock table task_instance in access exclusive mode")
        jobs.red("backup", "lock")
    assert jobs.stored() == []
    jobs.good("backup")


def test_a_drill_tells_a_lost_fernet_key_and_knows_a_rotated_one(jobs):
    jobs.good("backup")
    jobs.red("drill", "decrypts none of 2", FERNET_KEY=OTHER_KEY)
    assert "2 of 2" in jobs.good("drill", FERNET_KEY=f"{OTHER_KEY},{KEY}")
    jobs.red("drill", "Fernet key", FERNET_KEY="not a key")


def test_without_encrypted_values_the_key_is_known_by_its_fingerprint(jobs):
    jobs.sql("delete from connection")
    jobs.good("backup")
    jobs.red("drill", "is not that of the backup", FERNET_KEY=OTHER_KEY)
    assert "not looked at: decryption" in jobs.good("drill")


def test_an_old_backup_and_one_of_nothing_are_red(jobs):
    jobs.red("backup", "cannot read the database", PGDATABASE="absent")
    jobs.sql("drop table alembic_version")
    jobs.red("backup", "exactly one table alembic_version")
    assert jobs.stored() == []
    jobs.sql("create table alembic_version (version_num text)")
    jobs.good("backup")
    jobs.red("drill", "hours old", MAX_AGE="-1")


def test_retention_keeps_the_newest_and_the_newest_that_is_proven(jobs):
    kept = [f"production-202001{day:02}T000000Z" for day in range(1, 6)]
    for name in kept:
        for ending in (".json", ".dump.age"):
            (jobs.folder / "store" / f"{name}{ending}").touch()
    (jobs.folder / "store" / f"{kept[1]}.proven.json").touch()
    (jobs.folder / "store" / "staging-20200101T000000Z.json").touch()
    jobs.own(jobs.folder / "store")
    jobs.good("backup", KEEP_LAST="3")
    names = {name.partition(".")[0] for name in jobs.stored()}
    assert names >= {kept[1], kept[3], kept[4], "staging-20200101T000000Z"}
    assert not names & {kept[0], kept[2]} and len(names) == 5


def test_a_restore_exchanges_the_databases_once_the_backup_is_whole(jobs):
    jobs.good("backup")
    jobs.sql("delete from task_instance")
    said = jobs.good("restore")
    assert jobs.sql("select count(*) from task_instance").fetchone() == (10_000,)
    (before,) = (word.rstrip(":") for word in said.split() if "airflow_before" in word)
    other = jobs.database.replace("/airflow", f"/{before}")
    try:
        import psycopg

        with psycopg.connect(other) as connection:
            assert connection.execute("select count(*) from task_instance").fetchone() == (0,)
    finally:
        jobs.drop(before)


def test_a_restore_that_fails_leaves_the_database_as_it_is(jobs):
    import psycopg

    jobs.red("restore", "no complete backup", AT="20200101T000000Z")
    jobs.good("backup")
    jobs.sql("delete from task_instance")
    other, _ = jobs.key("other")
    jobs.own(other)
    jobs.red("restore", "cannot decrypt", "as it was", IDENTITY=str(other))
    jobs.red("restore", "does not know", ACCEPTED_HEADS="1 2")
    jobs.red("restore", "no present Fernet key", FERNET_KEY=OTHER_KEY)
    with psycopg.connect(jobs.database):
        jobs.red("restore", "cannot exchange the databases", "being accessed by other users")
    (dump,) = (jobs.folder / "store" / name for name in jobs.stored(".age"))
    dump.write_bytes(dump.read_bytes()[:-1])
    jobs.red("restore", "is not what was stored")
    assert jobs.sql("select count(*) from task_instance").fetchone() == (0,)
    jobs.drop("airflow_restore")


def test_a_restore_that_is_killed_is_done_again(jobs):
    jobs.good("backup")
    jobs.sql("delete from task_instance")
    slow = jobs.folder / "bin/age"
    slow.write_text(SLOW_DECRYPTION % shutil.which("age"))
    slow.chmod(0o755)
    process = jobs.start("restore")
    wait_for(lambda: (jobs.folder / "work/half").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert jobs.sql("select count(*) from task_instance").fetchone() == (0,)
    slow.unlink()
    wait_for(lambda: not jobs.sql(
        "select 1 from pg_stat_activity where datname = 'airflow_restore' and 1 = %s", 1
    ).fetchall())  # fmt: skip
    said = jobs.good("restore")
    assert jobs.sql("select count(*) from task_instance").fetchone() == (10_000,)
    (before,) = (word.rstrip(":") for word in said.split() if "airflow_before" in word)
    jobs.drop(before)


def renamed(jobs, stamp):
    """The one backup under another time, in its manifest too."""
    for name in jobs.stored():
        new = re.sub("[0-9]{8}T[0-9]{6}Z", stamp, name)
        (jobs.folder / "store" / name).rename(jobs.folder / "store" / new)
        if new.endswith(".json"):
            path = jobs.folder / "store" / new
            path.write_text(re.sub("[0-9]{8}T[0-9]{6}Z", stamp, path.read_text()))


def test_a_backup_of_the_future_proves_nothing(jobs):
    jobs.good("backup")
    renamed(jobs, "20990101T000000Z")
    (manifest,) = (jobs.folder / "store" / name for name in jobs.stored(".json"))
    manifest.write_text(re.sub('"taken": [0-9]+', '"taken": 4070908800', manifest.read_text()))
    jobs.red("drill", "of the future", "a clock")


def test_a_manifest_runs_nothing(jobs):
    jobs.good("backup")
    (manifest,) = (jobs.folder / "store" / name for name in jobs.stored(".json"))
    command = f"a[$(touch {jobs.folder}/work/ran)]"
    manifest.write_text(re.sub('"taken": [0-9]+', f'"taken": "{command}"', manifest.read_text()))
    jobs.red("drill", "no valid time")
    assert not (jobs.folder / "work/ran").exists()


def test_a_backup_under_the_name_of_another_is_red(jobs):
    jobs.good("backup")
    manifest = next(iter(jobs.stored(".json")))
    for name in jobs.stored():
        new = re.sub("[0-9]{8}T[0-9]{6}Z", "20980101T000000Z", name)
        (jobs.folder / "store" / name).rename(jobs.folder / "store" / new)
    for script in ("drill", "restore"):
        jobs.red(script, f"is the manifest of '{manifest.removesuffix('.json')}'")


def test_a_drill_takes_the_newest_of_very_many_backups(jobs):
    for number in range(9000):
        (jobs.folder / "store" / f"production-2001{number:04}T000000Z.json").touch()
    jobs.good("backup", KEEP_DAYS="99999")
    assert "proven production-20" in jobs.good("drill")


def test_an_old_backup_stays_proven(jobs):
    jobs.good("backup")
    jobs.good("drill")
    code, said = jobs.run("drill", MAX_AGE="-1")
    assert code and "hours old" in said and jobs.stored(".proven.json")


def test_a_temporary_table_of_another_session_is_no_part_of_a_backup(jobs):
    import psycopg

    with psycopg.connect(jobs.database, autocommit=True) as other:
        other.execute("create temp table scratch (n int)")
        other.execute("create temp table alembic_version_scratch (n int)")
        jobs.good("backup")
    jobs.good("drill")


def test_a_line_end_after_the_fernet_key_is_no_other_key(jobs):
    jobs.good("backup", FERNET_KEY=f"{KEY}\n")
    jobs.sql("delete from task_instance")
    said = jobs.good("restore")
    (before,) = (word.rstrip(":") for word in said.split() if "airflow_before" in word)
    jobs.drop(before)


def test_a_restore_drops_no_database_that_it_has_not_made(jobs):
    import psycopg

    jobs.good("backup")
    server = jobs.database.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("create database airflow_restore")
    try:
        jobs.red("restore", "airflow_restore exists", "as it was")
    finally:
        jobs.drop("airflow_restore")


def test_a_long_name_does_not_lose_the_present_database(jobs):
    """PostgreSQL cuts `<name>_restore` to the name itself where that has 63 bytes."""
    import psycopg

    long = "a" * 63
    jobs.good("backup")
    server = jobs.database.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {long} template airflow")
    before = ""
    try:
        said = jobs.good("restore", PGDATABASE=long)
        (before,) = (word.rstrip(":") for word in said.split() if "_before_" in word)
        with psycopg.connect(f"{server}/{before}") as connection:
            found = connection.execute("select count(*) from task_instance").fetchone()
        assert found == (10_000,)
    finally:
        for database in filter(None, (long, before)):
            jobs.drop(database)


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")
