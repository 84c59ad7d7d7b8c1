"""The web application in this process, over a database of its own."""

import contextlib
import functools
import tempfile
from pathlib import Path

import jinja2

from service.cli.migrate import prepare
from service.settings.resolve import load
from service.web.app import create_app
from tests.service import scene


class _Compiled(jinja2.BytecodeCache):
    """The templates of the pages, compiled once for each process."""

    def __init__(self):
        self._kept = {}

    def load_bytecode(self, bucket):
        if code := self._kept.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket):
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@functools.cache
def _prepared():
    """What `prepare` makes in an empty data folder, by name: made once for each process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(scene.write_settings(Path(folder), "http://127.0.0.1:9", 8080), {})
        prepare(settings)
        return {path.name: path.read_bytes() for path in settings.data_dir.iterdir()}


@contextlib.contextmanager
def application(folder, environment=None, edit=lambda settings: settings, **limits):
    """Client and settings; `edit` may change the settings that the file gave."""
    path = scene.write_settings(folder, "http://127.0.0.1:9", 8080, **limits)
    settings = edit(load(path, environment or {}))
    settings.data_dir.mkdir(mode=0o700)
    for name, data in _prepared().items():
        (settings.data_dir / name).write_bytes(data)
    app = create_app(settings)
    app.jinja_env.bytecode_cache = _COMPILED
    here = app.extensions["gen-env"]
    try:
        yield app.test_client(), here
    finally:
        here.engine.dispose()


def deliver(client, body, delivery="d1", event="pull_request", connection="forge", **changes):
    raw, headers = scene.signed(body, delivery, event=event)
    return client.post(f"/webhooks/{connection}", data=raw, headers={**headers, **changes})
