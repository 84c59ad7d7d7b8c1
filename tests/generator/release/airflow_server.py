"""A real Airflow API server (webserver of 2.x) with a webserver_config.py of ours."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import requests

from tests.loopback import free_port

_FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


class Airflow:
    """One installation, its home and its metadata database in a file."""

    def __init__(self, python, home, variables):
        self.python = python
        self.home = home
        self.version = _version(python)
        self.airflow_3 = self.version.startswith("3.")
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.environment = {**os.environ, **self._settings(), **variables}

    def _settings(self):
        settings = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__AUTH_MANAGER": _FAB,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
            "PYTHONPATH": "",
        }
        key = "k" * 64
        if self.airflow_3:
            names = ("API__SECRET_KEY", "API_AUTH__JWT_SECRET")
            more = {"AIRFLOW__FAB__ENABLE_PROXY_FIX": "True", "AIRFLOW__API__PORT": str(self.port)}
        else:
            names = ("WEBSERVER__SECRET_KEY",)
            more = {
                "AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX": "True",
                "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(self.port),
                "AIRFLOW__WEBSERVER__WORKERS": "1",
            }
        return {**settings, **more, **{f"AIRFLOW__{name}": key for name in names}}

    def configure(self, text):
        (self.home / "webserver_config.py").write_text(text)

    def roles(self, username):
        """Names of the person's roles, or None for somebody unknown."""
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db")) as database:
            known = database.execute("select id from ab_user where username = ?", [username])
            row = known.fetchone()
            if row is None:
                return None
            rows = database.execute(
                "select r.name from ab_role r join ab_user_role u on u.role_id = r.id"
                " where u.user_id = ?",
                row,
            )
            return sorted(name for (name,) in rows)

    def signed_in(self, session):
        """Whether the browser's cookies open what needs the right to read DAGs."""
        if self.airflow_3:
            return session.get(f"{self.url}/api/v2/dags", timeout=30).status_code == 200
        answer = session.get(f"{self.url}/home", timeout=30, allow_redirects=False)
        return answer.status_code == 200

    @contextlib.contextmanager
    def serve(self):
        """The server, until the block ends; its output is in the home."""
        self._run("db", "migrate")
        if not self.airflow_3:
            self._run("sync-perm")
        command = "api-server" if self.airflow_3 else "webserver"
        with (self.home / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [self.python, "-m", "airflow", command],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                self._wait(server)
                yield self
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(20)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def _run(self, *arguments):
        done = subprocess.run(
            [self.python, "-m", "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def _wait(self, server):
        path = "/api/v2/monitor/health" if self.airflow_3 else "/health"
        for _ in range(180):
            with contextlib.suppress(requests.RequestException):
                if requests.get(self.url + path, timeout=5).ok:
                    return
            if server.poll() is not None:
                break
            time.sleep(1)
        raise AssertionError((self.home / "server.log").read_text()[-3000:])


def _version(python):
    code = "import importlib.metadata as m; print(m.version('apache-airflow'))"
    return subprocess.check_output([python, "-c", code], text=True).strip()
