"""People are told of what needs them, through Apprise, beside the work and never in its way."""

from __future__ import annotations

import dataclasses
import logging
import re
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

from generator.redaction.secret import Secret
from generator.redaction.text import redact_prose
from generator.report.escape import clipped
from service.model.job import Job, Kind, State
from service.settings.schema import Route, Settings
from service.store import notices, overview
from service.store.runs import Outcome
from service.worker import message

log = logging.getLogger("gen_env.notify")
_EVERY = 2.0
_PATIENCE = 30.0
"""Seconds that one address has for one message."""
_LONGEST = 300
_HOUR = 3600.0
"""In which a reason for giving up is told once of a repository: a forge that is away stops many."""
Send = Callable[[Secret, str, str, float], bool]
# What chat programs make links, mentions or markup of.
_HARMLESS = str.maketrans(
    {"@": "@\u200b", "<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "|": "¦", "*": "∗"}
)
# What they make links of: an address, and a host without one (`www.example`, `README.md`).
_LINKED = re.compile(r":(?=//)|\.(?=[^\W\d_])")


def keep(
    connection: sa.Connection, settings: Settings, job: Job, outcome: Outcome, link: str, now: float
) -> None:
    """Have told whom it concerns how a run ended, in the transaction that records it."""
    event, title = _event(job, outcome)
    if not event or not settings.notifications:
        return
    named = [job.environment, str(job.details.get("target", "")), *outcome.environments]
    environments = sorted({name for name in named if name})
    # As the default branch had them when it was last read.
    stands = overview.branches(connection).get(f"{job.connection}/{job.repository}")
    listed = stands["content"].get("environments", []) if stands else []
    tiers = {item["name"]: str(item.get("tier") or "") for item in listed}
    about = _about(job, outcome)
    if event == "dead":
        about = (job.connection, job.repository, job.kind, outcome.summary, str(int(now // _HOUR)))
    number = f" #{job.number}" if job.number else ""
    facts = [plain(outcome.summary), f"repository: {plain(job.repository)}{number}"]
    for name in environments:
        facts.append(f"environment: {plain(name)} (tier {plain(tiers.get(name) or 'not known')})")
    text = (f"gen-env: {plain(title)}", "\n".join([*facts, link]))
    for route in settings.notifications:
        if route.wants(event, environments, tiers):
            notices.keep(connection, route.name, (event, *about), *text, now)


def _about(job: Job, outcome: Outcome) -> tuple[str, ...]:
    """What makes it the same message as an earlier one; so is a proposal that is updated, and drift
    of the same objects under a newer commit."""
    same = job.kind in (Kind.PROMOTE, Kind.ROLLBACK, Kind.DRIFT)
    of_commit = "" if same else outcome.head_sha
    held = (f"{name}: {what}" for name, what in sorted(outcome.environments.items()))
    return (job.key, of_commit, *held)


def _event(job: Job, outcome: Outcome) -> tuple[str, str]:
    """The event's name in the settings, and its headline; nothing for what needs nobody."""
    about = f" of {job.environment}" if job.environment else ""
    match job.kind, outcome.state:
        case _, State.DEAD:
            return "dead", f"{job.kind.value} given up"
        case Kind.VERIFY, State.FAILURE:
            return "failed", f"verification{about} failed"
        case Kind.PROMOTE | Kind.ROLLBACK, State.DONE if outcome.environments:
            return "promotion", f"{'rollback' if job.kind is Kind.ROLLBACK else 'promotion'} opened"
        case Kind.DRIFT, State.FAILURE:
            return "drift", f"{job.environment} differs from git"
        case Kind.GATES, State.FAILURE if outcome.environments:
            return "gate", f"a gate of #{job.number} waits for a person"
        case _:
            return "", ""


def plain(text: str) -> str:
    """Words that no chat program and no mail reader takes for anything but words, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in redact_prose(text)).split())
    return _LINKED.sub(r"\g<0>" + "\u200b", clipped(line, _LONGEST).translate(_HARMLESS))


@dataclasses.dataclass(frozen=True)
class Sender:
    """Sends what is due; an address that takes too long holds up itself alone."""

    settings: Settings
    engine: sa.Engine
    using: Send = message.send
    patience: float = _PATIENCE

    def start(self, stop: threading.Event) -> None:
        """Send until told to stop, each address in a thread of its own; what is left then is sent
        by another worker, or after a start.
        """
        for route in self.settings.notifications:
            threading.Thread(target=self._follow, args=(route, stop), daemon=True).start()

    def _follow(self, route: Route, stop: threading.Event) -> None:
        while not stop.wait(_EVERY):
            try:
                while not stop.is_set() and self.one(route):
                    pass
            except Exception as error:  # the database may be away for a while; this must live on
                log.warning("notifications to %s wait: %s", route.name, type(error).__name__)

    def one(self, route: Route) -> bool:
        """Send the route's next message, if there is one; whether there may be more."""
        with self.engine.begin() as connection:
            row = notices.claim(connection, route.name, time.time())
        if row is None:
            return False
        sent = self.using(route.url, row.title, row.body, self.patience)
        with self.engine.begin() as connection:
            over = notices.settle(connection, row.key, row.attempts, time.time(), sent=sent)
        if not sent:
            again = "given up" if over else "tried again later"
            log.warning("notification to %s not confirmed: %s", route.name, again)
        return sent
