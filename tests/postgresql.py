"""A PostgreSQL server in a folder of its own, for as long as a test needs it."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.loopback import free_port
from tests.service import scene


@contextlib.contextmanager
def server():
    """The URL of a server, without a database's name; skips where no server is installed."""
    found = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    programs = [Path(name).resolve().parent for name in found if name]
    if not programs:
        pytest.skip("needs a PostgreSQL server (Debian: postgresql)")
    as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    prefix = as_other if os.geteuid() == 0 else []
    # A short path: it holds a socket.
    place = Path("/tmp") / f"gen-env-pg-{os.getpid()}"
    place.mkdir(mode=0o777)
    if prefix:
        os.chown(place, 65534, 65534)
    port = free_port()
    tools = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, "cwd": place}
    where = ["-D", place / "data"]
    init = [*prefix, programs[0] / "initdb", *where, "-U", "owner", "-A", "trust", "-E", "UTF8",
            "--no-sync"]  # fmt: skip
    serve = [*prefix, programs[0] / "postgres", *where, "-p", str(port), "-k", place,
             "-c", "listen_addresses=127.0.0.1", "-F"]  # fmt: skip
    server = None
    try:
        done = subprocess.run(init, capture_output=True, check=False, **tools)
        if done.returncode:
            pytest.skip(f"initdb does not work here: {done.stderr.decode()[-300:]}")
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, **tools)
        url = f"postgresql://owner@127.0.0.1:{port}"
        assert scene.wait_for(lambda: reachable(f"{url}/postgres")), (place / "log").read_text()
        yield url
    finally:
        if server:
            server.send_signal(signal.SIGINT)
            server.wait(20)
        shutil.rmtree(place, ignore_errors=True)


def hidden():
    """What a command is run under so that it finds no server; skips where that cannot be."""
    place, path = "/usr/lib/postgresql", "/usr/bin:/bin"
    without = f"[ ! -d {place} ] || mount -t tmpfs tmpfs {place}"
    script = f'{{ {without}; }} && PATH={path} exec "$@"'
    if not shutil.which("unshare") or shutil.which("initdb", path=path):
        pytest.skip(f"a server is in {path}, or unshare not found")
    command = ["unshare", "-m", "sh", "-c", script, "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount here")
    return command


@contextlib.contextmanager
def fresh_database(server, name, options=""):
    """The URL of an empty database."""
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name} {options}")
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"drop database {name} with (force)")


def reachable(url):
    """Whether a database answers."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True
