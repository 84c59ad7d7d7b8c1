"""A check that does nothing but say that it ran; named to the worker by the environment."""

import os
import time
from pathlib import Path

from generator.forge.errors import Unavailable
from service.model.job import CheckOutcome, State


def check(request):
    folder = request.context.data_dir
    with (folder / "ran.log").open("a") as log:
        run, repository = request.context.run_id, request.context.repository
        log.write(f"{run} {repository} {request.number} {request.head_sha}\n")
    time.sleep(float(os.environ.get("CHECK_SECONDS", "0.05")))
    while (gate := os.environ.get("CHECK_GATE")) and not Path(gate).exists():
        time.sleep(0.05)
    if request.number == 666:
        os._exit(9)
    if request.number == 500:
        raise Unavailable("the forge is away")
    if request.number == 501:
        raise RuntimeError(f"a bug that quotes {request.context.connection.token.text()}")
    if not request.context.is_current():
        return CheckOutcome(State.SUPERSEDED, "superseded by a newer event", request.head_sha)
    return CheckOutcome(
        State.SUCCESS, "fine", request.head_sha, '{"fine": true}', "<!doctype html><p>fine"
    )
