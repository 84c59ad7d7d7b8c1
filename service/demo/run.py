"""`demo`: everything started on free ports of this machine, explained, and ended together."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from generator.core.errors import UserError
from service.demo import repository
from service.demo.forge import REPOSITORY, Forge
from service.demo.site import application
from service.model.job import STATUS_CONTEXT

_PATIENCE = 300.0


def run(*, once: bool) -> int:
    """Show the service until Ctrl-C, or with `once` until every check has its verdict."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    click.echo("Making a repository with three environments ...")
    with tempfile.TemporaryDirectory(prefix="gen-env-demo-") as place:
        folder = Path(place)
        with _forge(folder) as forge, _service(folder, forge) as (page, service):
            for item in repository.PROPOSALS:
                forge.open_pull(item.branch, item.title, f"Expected: the check {item.look}.")
            _explain(forge, page)
            _wait(lambda: stop.is_set() or "pending" not in dict(_verdicts(forge)), service)
            for _, said in _verdicts(forge):
                click.echo(said)
            if not once:
                click.echo("\nCtrl-C ends everything and removes the folder.")
                _wait(stop.is_set, service, patience=None)
    return 0


@contextlib.contextmanager
def _forge(folder: Path) -> Iterator[Forge]:
    from waitress.server import create_server

    root = folder / "forge"
    url = f"http://127.0.0.1:{(port := _free_port())}"
    forge = Forge(root, url, secrets.token_hex(16), secrets.token_hex(16))
    forge.gitdir.parent.mkdir(parents=True)
    repository.make(folder, forge.gitdir)
    server = create_server(application(forge), host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield forge
    server.task_dispatcher.shutdown(timeout=1)


@contextlib.contextmanager
def _service(folder: Path, forge: Forge) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of the dashboard, and the process, once it answers."""
    home, port = folder / "service", _free_port()
    home.mkdir()
    for name, value in (("token", forge.token), ("hook", forge.secret)):
        (home / name).write_text(value, "utf-8")
    connection = {
        "name": "demo", "forge": "gitea", "url": forge.url, "repositories": [REPOSITORY],
        "webhookSecrets": [{"file": "hook"}], "token": {"file": "token"},
    }  # fmt: skip
    settings = {
        "listen": f"127.0.0.1:{port}", "pollSeconds": 15, "connections": [connection],
        "limits": {"settleSeconds": 1, "drainSeconds": 5},
    }  # fmt: skip
    config = home / "service.yaml"
    config.write_text(json.dumps(settings, indent=2), "utf-8")  # JSON is YAML
    page = f"http://127.0.0.1:{port}"
    forge.hook = f"{page}/webhooks/demo"
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli.main", "serve", "--config", str(config)],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    try:
        click.echo("Starting the service ...")
        _wait(lambda: _answers(f"{page}/readyz"), process)
        yield page, process
    except UserError:
        click.echo((folder / "service.log").read_text("utf-8", "replace")[-3_000:], err=True)
        raise
    finally:
        process.terminate()
        process.wait()


def _explain(forge: Forge, page: str) -> None:
    click.echo(f"""
  dashboard      {page}
  forge          {forge.url}
  repository     git clone {forge.url}/{REPOSITORY}.git

Three pull requests are being checked:""")
    for pull, item in zip(forge.pulls.values(), repository.PROPOSALS, strict=True):
        click.echo(f"  {pull['html_url']}\n     {item.title}: {item.look}")
    click.echo()


def _verdicts(forge: Forge) -> Iterator[tuple[str, str]]:
    """The state of each check, and a line on it."""
    for number, pull in forge.pulls.items():
        status = forge.standing(pull["head"]["sha"]).get(STATUS_CONTEXT, {"state": "pending"})
        yield status["state"], f"#{number} {status['state']}: {status.get('description', '')}"


def _wait(
    done: Callable[[], bool], service: subprocess.Popen[bytes], patience: float | None = _PATIENCE
) -> None:
    end = time.monotonic() + (patience or 0)
    while not done():
        if service.poll() is not None:
            raise UserError("the service ended before it answered")
        if patience is not None and time.monotonic() > end:
            raise UserError(f"no answer within {patience:.0f} s")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    import requests

    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port
