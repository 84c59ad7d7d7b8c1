"""What every endpoint works with, kept on the application."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import cast

import sqlalchemy as sa
from flask import Flask, current_app

from service.queue.intake import Intake
from service.queue.jobs import Jobs
from service.settings.schema import Settings

_KEY = "gen-env"


@dataclasses.dataclass(frozen=True)
class Context:
    """Handles to the outside, made once per process."""

    settings: Settings
    engine: sa.Engine
    jobs: Jobs
    intake: Intake
    clock: Callable[[], float] = time.time


def install(app: Flask, context: Context) -> None:
    """Give the context to the application."""
    app.extensions[_KEY] = context


def context() -> Context:
    """The context of the application that answers this request."""
    return cast(Context, current_app.extensions[_KEY])
