"""A check that judges nothing and speaks like the real one; named to workers by the environment."""

import time

from generator.forge.port import CheckState as ForgeState
from service.check.reporter import Reporter, Superseded
from service.model.job import CheckOutcome, State


def check(request):
    reporter = Reporter(request, b"one key for all workers")
    head = request.head_sha
    try:
        reporter.pull()
        reporter.status(head, ForgeState.PENDING, "checking")
        time.sleep(0.05)
        reporter.pull()
        reporter.comment(f"judged {head}")
        reporter.status(head, ForgeState.SUCCESS, "fine")
    except Superseded as stale:
        return CheckOutcome(State.SUPERSEDED, str(stale), head)
    return CheckOutcome(State.SUCCESS, "fine", head, '{"fine": true}', "<!doctype html>")
