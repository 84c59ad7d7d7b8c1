"""The throw-away server of a rehearsal with real PostgreSQL and age: what it refuses, and that
nothing of it stays."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generator.actions.recovery import throw_away
from generator.core.errors import UserError
from generator.manifests.scripts import rehearse
from tests import postgresql
from tests.service import scene

pytestmark = pytest.mark.thorough
TABLES = """
create table alembic_version (version_num text);
insert into alembic_version values ('509b94a1042d');
create table task_instance as select n, repeat(md5(n::text), 9) from generate_series(1, 3000) n;
"""


# A view that queries of pg_tables would find, where the settings of its database name it first.
HOSTILE = """
create schema hostile;
create function hostile.called() returns text language plpgsql as $$ begin
  if exists (select from pg_catalog.pg_roles where rolname = current_user and rolsuper) then
    execute $x$copy (select 1) to program 'touch ../../called'$x$;
  end if;
  return 'alembic_version'; end $$;
create view hostile.pg_tables as select hostile.called() as tablename, 'public' as schemaname;
"""
SETTING = (
    "do $$ begin execute format('alter database %I set search_path = hostile, pg_catalog, public',"
    " current_database()); end $$;"
)
SLOW = """
create function slow(i int) returns int immutable language plpgsql as $$ begin
  if current_database() = 'airflow' then perform pg_catalog.pg_sleep(60); end if;
  return i; end $$;
create index on task_instance (slow(n)) where n = 1;
"""


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """A good dump, and others."""
    place = tmp_path_factory.mktemp("dumps")
    with postgresql.server() as server:
        comment = f"comment on table task_instance is '{'x' * len(SETTING)}'"
        for name, text in (("good", TABLES), ("other", "create table x (y int)"),
                           ("hostile", TABLES + HOSTILE + comment),
                           ("slow", TABLES + SLOW)):  # fmt: skip
            with postgresql.fresh_database(server, name) as url:
                subprocess.run(["psql", "-qX", url, "-c", text], check=True)
                subprocess.run(["pg_dump", "-Fc", "-f", place / name, url], check=True)
                subprocess.run(["pg_dump", "-f", place / f"{name}.sql", url], check=True)
    content = (place / "good").read_bytes()
    (place / "truncated").write_bytes(content[: len(content) // 2])
    newer = bytearray(content)
    newer[6] = 99
    (place / "newer").write_bytes(newer)
    (place / "empty").write_bytes(b"")
    statement = f"COMMENT ON TABLE public.task_instance IS '{'x' * len(SETTING)}';".encode()
    hostile = (place / "hostile").read_bytes()
    assert statement in hostile
    setting = SETTING.encode().ljust(len(statement))
    (place / "hostile").write_bytes(hostile.replace(statement, setting))
    return place


def restored(path, work, identity=None):
    with throw_away.opened(path, identity) as content, throw_away.server(content, work) as folder:
        found = subprocess.run(
            ["psql", "-XAtq", "-h", folder, "-U", "airflow", "-d", "airflow",
             "-c", "select count(*) from task_instance; create extension adminpack"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return folder, found


def servers(work, seconds=10, expected=0):
    """Folders and processes that are left, once those that are ending have had their time."""
    until = time.monotonic() + seconds
    while True:
        asked = subprocess.run(
            ["pgrep", "-f", str(work)], capture_output=True, text=True, check=False
        )
        left = [*work.iterdir(), *asked.stdout.split()]
        if len(left) <= expected or time.monotonic() > until:
            return left
        time.sleep(0.1)


@pytest.fixture
def work():
    """A short path: it holds a socket."""
    folder = Path("/tmp") / f"gen-env-r{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_a_dump_is_restored_for_as_long_as_it_is_needed_and_by_no_superuser(dumps, work):
    folder, found = restored(dumps / "good", work)
    assert found.stdout.strip() == "3000"
    assert "permission denied" in found.stderr
    assert not folder.exists() and servers(work) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("truncated", "cannot restore"),
        ("newer", "unsupported version"),
        ("good.sql", "text format dump"),
        ("empty", "input file is too short"),
        ("other", "holds no database of Airflow"),
    ],
)
def test_what_is_no_dump_of_airflow_is_refused_and_nothing_stays(dumps, work, name, words):
    with pytest.raises(UserError, match=words):
        restored(dumps / name, work)
    assert servers(work) == []


def test_without_a_server_it_is_named_and_how_to_get_one():
    code = (
        "from generator.actions.recovery import throw_away\n"
        "from generator.core.errors import UserError\n"
        "try:\n"
        "  with open('/dev/null', 'rb') as dump, throw_away.server(dump, None):\n    pass\n"
        "except UserError as error:\n  print(error.message, error.hint, sep='; ')\n"
    )
    command = [*postgresql.hidden(), sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = "no PostgreSQL server (initdb) found; install PostgreSQL's server (Debian: postgresql)"
    assert done.stdout.strip() == words


@pytest.mark.skipif(not shutil.which("age"), reason="needs age (Debian: age)")
def test_an_encrypted_dump_needs_the_key_that_opens_it(dumps, work, tmp_path):
    keys = []
    for name in ("right", "wrong"):
        subprocess.run(["age-keygen", "-o", tmp_path / name], check=True, capture_output=True)
        text = (tmp_path / name).read_text()
        keys.append(text.split("public key: ")[1].split()[0])
    sealed = tmp_path / "sealed"
    subprocess.run(["age", "-r", keys[0], "-o", sealed, dumps / "good"], check=True)
    assert restored(sealed, work, tmp_path / "right")[1].stdout.strip() == "3000"
    with pytest.raises(UserError, match="is encrypted") as error:
        restored(sealed, work)
    assert "--identity" in error.value.hint
    with pytest.raises(UserError, match="cannot decrypt: age: error: no identity matched"):
        restored(sealed, work, tmp_path / "wrong")
    with pytest.raises(UserError, match="cannot decrypt"):
        restored(sealed, work, tmp_path / "missing")
    assert servers(work) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_is_said_and_nothing_stays(dumps, work):
    mounted = ["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs", work]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount here")
    try:
        with pytest.raises(UserError, match="No space left"):
            restored(dumps / "good", work)
        assert servers(work) == []
    finally:
        subprocess.run(["umount", work], check=True)


class Asked(rehearse.Rehearsal):
    """With psql for a driver, which only the Python of the target has."""

    def query(self, text, database="postgres", user="rehearsal"):
        done = subprocess.run(
            ["psql", "-XAtq", "-h", self.folder, "-U", user, "-d", database, "-c", text],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [line.split("|") for line in done.stdout.splitlines()]


def test_what_a_dump_holds_is_called_by_no_superuser(dumps, work):
    work.chmod(0o777)
    with (
        throw_away.opened(dumps / "hostile", None) as content,
        throw_away.server(content, work) as folder,
    ):
        found = Asked({"folder": str(folder)})
        assert found.rows("airflow") == {"alembic_version": "1"}  # all that the view shows
        found.heads("airflow")
        assert found.rows("empty")["task_instance"] == "0"
    assert servers(work) == []


def test_other_users_of_the_machine_cannot_enter(dumps, work):
    with (
        throw_away.opened(dumps / "good", None) as content,
        throw_away.server(content, work) as folder,
    ):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_restore_ends_with_gen_env_and_leaves_no_data(dumps, work, number):
    code = (
        "import pathlib, signal\nfrom generator.actions.recovery import throw_away\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with open({str(dumps / 'slow')!r}, 'rb', buffering=0) as dump:\n"
        f"  with throw_away.server(dump, pathlib.Path({str(work)!r})):\n    pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        assert scene.wait_for(lambda: "CREATE INDEX" in running("postgres: airflow"), 60)
        child.send_signal(number)
        child.wait(20)
    assert scene.wait_for(lambda: not running(str(work)), 30)
    assert not [*work.glob("*/data"), *work.glob("*/*.log")]


def running(words):
    """The processes whose command has these words."""
    done = subprocess.run(["pgrep", "-fa", words], capture_output=True, text=True, check=False)
    return done.stdout


def test_the_server_ends_with_the_process_that_started_it(dumps, work):
    code = (
        "import os, pathlib, sys\nfrom generator.actions.recovery import throw_away\n"
        f"with open({str(dumps / 'good')!r}, 'rb', buffering=0) as dump:\n"
        f"  with throw_away.server(dump, pathlib.Path({str(work)!r})):\n    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(servers(work, 30, expected=1)) == 1, "the folder alone"


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read"), throw_away.opened(tmp_path / "x", None):
        pass
    with (
        pytest.raises(UserError, match="folder not found"),
        throw_away.server(None, tmp_path / "x"),
    ):
        pass
    with pytest.raises(UserError, match="no Airflow"):
        throw_away.target(sys.executable, ["fab"])
