"""The web application: takes deliveries in and shows what came of them; it does no work itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from service.queue.intake import Intake
from service.queue.jobs import Jobs
from service.settings.schema import Settings
from service.store import tables
from service.web import api, pages, probes, webhooks
from service.web.context import KEY, Context


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> Flask:
    """The application for these settings; `service.cli.migrate.prepare` must have run before.

    Opens the database: call it in the process that serves, after any fork.
    """
    app = Flask("service", root_path=str(Path(__file__).parent))
    app.config.update(MAX_CONTENT_LENGTH=settings.limits.body_bytes, MAX_FORM_MEMORY_SIZE=16_384)
    app.json.ensure_ascii = True  # type: ignore[attr-defined]
    engine = tables.engine(settings.database_url.text())
    jobs = Jobs(engine, clock)
    intake = Intake(jobs, settings.limits.queue_depth, clock)
    app.extensions[KEY] = Context(settings, engine, jobs, intake, clock)
    for module in (webhooks, probes, api, pages):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(pages.reports)
    return app
