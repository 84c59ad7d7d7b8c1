"""The web application in this process, over a database of its own."""

import contextlib

from service.cli.migrate import prepare
from service.settings.resolve import load
from service.web.app import create_app
from tests.service import scene


@contextlib.contextmanager
def application(folder, environment=None, edit=lambda settings: settings, **limits):
    """Client and settings; `edit` may change the settings that the file gave."""
    path = scene.write_settings(folder, "http://127.0.0.1:9", 8080, **limits)
    settings = edit(load(path, environment or {}))
    prepare(settings)
    app = create_app(settings)
    here = app.extensions["gen-env"]
    try:
        yield app.test_client(), here
    finally:
        here.intake.close()
        here.jobs.close()
        here.engine.dispose()


def deliver(client, body, delivery="d1", event="pull_request", connection="forge", **changes):
    raw, headers = scene.signed(body, delivery, event=event)
    return client.post(f"/webhooks/{connection}", data=raw, headers={**headers, **changes})
