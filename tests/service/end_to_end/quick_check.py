"""A check that judges nothing and speaks like the real one; named to workers by the environment."""

import time

from generator.forge.port import CheckState as ForgeState
from service.check.reporter import Outside, Superseded
from service.model.check import CheckOutcome, CheckState


def check(request):
    outside = Outside(request, b"one key for all workers")
    head = request.head_sha
    try:
        outside.pull()
        outside.status(head, ForgeState.PENDING, "checking")
        time.sleep(0.05)
        outside.pull()
        outside.comment(f"judged {head}")
        outside.status(head, ForgeState.SUCCESS, "fine")
    except Superseded as stale:
        return CheckOutcome(CheckState.SUPERSEDED, stale.reason, head)
    return CheckOutcome(CheckState.SUCCESS, "fine", head, '{"fine": true}', "<!doctype html>")
